import type { MachineFacts } from "../inspect/machine";
import { portRules } from "../inspect/proxy-rules";
import type { Service } from "../inspect/snapshot";
import { done, failed, type Finding } from "./explanation";
import { type Facts, partOf } from "./facts";
import { nodePart, type PartState } from "./parts";
import { endpointTargets } from "./targets";
import { networkAgents } from "./agents";

interface NodeRules {
    readonly machine: MachineFacts;
    readonly line: string;
    /** What is wrong with them. */
    readonly fault?: "none" | "old";
}

/** Whether every node has rules that lead from the service's address to its endpoints. */
export function rulesWritten(facts: Facts, service: Service): Finding {
    const { clusterIP = "", internalTrafficPolicy } = service.spec;
    const wanted = endpointTargets(service, facts.snapshot);
    const compares = internalTrafficPolicy !== "Local";
    const all = facts.machines
        .filter(({ problem }) => problem === undefined)
        .map((machine) => rulesOf(machine, service, compares ? wanted : undefined));
    const bad = all.filter(({ fault }) => fault !== undefined);
    const idle = all
        .filter(({ machine, fault }) => fault === undefined && stopped(machine))
        .map(
            ({ machine }) =>
                `${machine.node.name}: kube-proxy doesn't run; its rules are right still, and follow no change`,
        );
    const lines = [...all.map(({ line }) => line), ...idle];
    const [first] = bad;
    if (first === undefined) {
        return done(...lines);
    }
    const nodes = bad.map(({ machine }) => machine.node.name);
    const proxy = proxyOf(facts, first.machine);
    const states = nodes.flatMap((node) => nodePart(facts, node, "kube-proxy").evidence);
    const what = first.fault === "none" ? `no rules for ${clusterIP}` : `old rules for ${clusterIP}`;
    const cause = proxy.runs
        ? "kube-proxy runs and has not written them"
        : "no kube-proxy runs there that would write them";
    return failed([...lines, ...states], {
        responsible: "kube-proxy",
        nodes,
        summary: `${nodes.join(", ")} ${nodes.length === 1 ? "has" : "have"} ${what}: ${cause}.`,
        said: proxy.said,
        next: [
            ...proxy.next,
            {
                command: "ssh",
                words: [nodes[0] ?? "", "--", `nft list map ip kube-proxy service-ips | grep ${clusterIP}`],
                why: "the rule that should be there (nftables)",
            },
        ],
    });
}

function rulesOf(machine: MachineFacts, { spec }: Service, wanted: readonly string[] | undefined): NodeRules {
    const found = (spec.ports ?? []).map(({ port, protocol = "TCP" }) => ({
        port,
        protocol,
        rules: portRules(machine, spec.clusterIP ?? "", port, protocol.toLowerCase()),
    }));
    const { name } = machine.node;
    const none = found.find(({ rules }) => rules.form === undefined);
    if (none !== undefined) {
        return { machine, line: `${name}: no rule for ${spec.clusterIP}:${none.port}/${none.protocol}`, fault: "none" };
    }
    const endpoints = [...new Set(found.flatMap(({ rules }) => rules.endpoints))].sort();
    const form = found[0]?.rules.form ?? "";
    const tcp = found.filter(({ protocol }) => protocol === "TCP").flatMap(({ rules }) => rules.endpoints);
    const differs = wanted !== undefined && [...new Set(tcp)].sort().join() !== [...new Set(wanted)].sort().join();
    return {
        machine,
        line: `${name} (${form}): ${endpoints.join(", ") || "no endpoint"}${differs ? `, not ${wanted.join(", ")}` : ""}`,
        ...(differs ? { fault: "old" } : {}),
    };
}

function stopped(machine: MachineFacts): boolean {
    const part = partOf(machine, "kube-proxy");
    return part !== undefined && part.state !== "active";
}

/** Who should write a node's rules: kube-proxy, or the pod network where it does. */
function proxyOf(facts: Facts, machine: MachineFacts): PartState {
    const own = nodePart(facts, machine.node.name, "kube-proxy");
    if (partOf(machine, "kube-proxy") !== undefined || facts.podNetwork === "kubenet") {
        return own;
    }
    const agents = networkAgents(facts, machine.node.name);
    return {
        ...own,
        evidence: [...own.evidence, ...agents.evidence],
        said: [...own.said, ...agents.said],
        next: [...own.next, ...agents.next],
    };
}
