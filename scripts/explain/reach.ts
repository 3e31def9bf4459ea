import type { MachineFacts } from "../inspect/machine";
import { forwardDecision } from "../inspect/packet-filter";
import { wayTo } from "../inspect/routes";
import type { Pod } from "../inspect/snapshot";
import { networkAgents } from "./agents";
import { networkRanges } from "./cni";
import { done, failed, type Fault, type Finding, unknown } from "./explanation";
import { type Facts, machineOf } from "./facts";

/** Whether packets of every node, and of its pods, reach a pod that runs. */
export function reached(facts: Facts, pod: Pod): Finding | undefined {
    const { podIP = "" } = pod.status;
    const node = pod.spec.nodeName ?? "";
    const own = machineOf(facts, node);
    // By a port of a service, where one asks for that.
    const target = Object.keys(own?.answers ?? {}).find((each) => each.startsWith(`${podIP}:`));
    if (target === undefined || own === undefined || own.problem !== undefined) {
        return undefined;
    }
    const machines = facts.machines.filter(({ problem }) => problem === undefined);
    const said = machines.map(
        ({ node: { name }, answers }) => `${name} → ${target}: ${answers[target] ?? "not asked"}`,
    );
    if (!arrives(own, target)) {
        return failed(said, {
            ...faultOf(facts, node),
            summary: `Not even ${node} itself reaches its pod at ${podIP}.`,
        });
    }
    if (pod.spec.hostNetwork === true) {
        return unanswered(facts, machines, target, said) ?? done(...said);
    }
    for (const from of machines.filter(({ node: { name } }) => name !== node)) {
        const fault = wayFault(facts, from, own, podIP);
        if (fault !== undefined) {
            return failed([...said, ...fault.evidence], fault.fault);
        }
    }
    return unanswered(facts, machines, target, said) ?? done(...said);
}

const arrives = ({ answers }: MachineFacts, target: string): boolean =>
    ["open", "refused"].includes(answers[target] ?? "");

/** Somebody gets no answer, and neither routes nor rules of the FORWARD chain say why. */
function unanswered(
    facts: Facts,
    machines: readonly MachineFacts[],
    target: string,
    said: readonly string[],
): Finding | undefined {
    const deaf = machines.filter((machine) => !arrives(machine, target)).map(({ node }) => node.name);
    if (deaf.length === 0) {
        return undefined;
    }
    if (facts.podNetwork === "kube-router") {
        return unknown(...said, "routes and FORWARD rules let packets pass; a NetworkPolicy may not");
    }
    return failed(said, {
        ...faultOf(facts, deaf[0] ?? ""),
        nodes: deaf,
        summary: `No answer from ${target} on ${deaf.join(", ")}, though routes and FORWARD rules let packets pass.`,
    });
}

interface WayFault {
    readonly evidence: readonly string[];
    readonly fault: Fault;
}

/** What keeps packets of a node, or of its pods, from a pod of another. */
function wayFault(facts: Facts, from: MachineFacts, own: MachineFacts, podIP: string): WayFault | undefined {
    const names = [from.node.name, own.node.name] as const;
    const there = wayTo(from.routes, podIP);
    const last = wayTo(own.routes, podIP);
    const back = wayTo(own.routes, from.node.address);
    const inside = Object.keys(from.cni).length > 0 ? networkRanges(from)[0]?.split("/")[0] : undefined;
    if (
        there === undefined ||
        (there.line.startsWith("default") && there.via !== own.node.address && facts.podNetwork === "kubenet")
    ) {
        return {
            evidence: [`${names[0]}: ${there === undefined ? "no route" : `only "${there.line}"`} for ${podIP}`],
            fault: {
                ...faultOf(facts, names[0]),
                summary: `${names[0]} has no route to the pods of ${names[1]}: packets for ${podIP} go astray.`,
            },
        };
    }
    const podOfFrom = inside === undefined ? [] : [{ who: `pods of ${names[0]}`, source: inside }];
    const hops = [
        ...[{ who: names[0], source: from.node.address }, ...podOfFrom].map((sender) => ({
            ...sender,
            at: own,
            in: back?.device,
            out: last?.device,
        })),
        ...podOfFrom.map((sender) => ({
            ...sender,
            at: from,
            in: wayTo(from.routes, sender.source)?.device,
            out: there.device,
        })),
    ];
    for (const { who, source, at, in: input, out } of hops) {
        const { accepted, by } = forwardDecision(at.filter, {
            source,
            destination: podIP,
            ...(input === undefined ? {} : { from: input }),
            ...(out === undefined ? {} : { to: out }),
        });
        if (!accepted) {
            const { name } = at.node;
            return {
                evidence: [`FORWARD of ${name} drops ${source} → ${podIP}: ${by}`],
                fault: {
                    ...faultOf(facts, name),
                    summary: `${name} drops packets that it should pass on, from ${who} to ${podIP}: its FORWARD chain says ${by}.`,
                    next: [
                        {
                            command: "ssh",
                            words: [name, "--", "iptables -S FORWARD"],
                            why: "policy and rules; pods' packets need an ACCEPT",
                        },
                        ...faultOf(facts, name).next,
                    ],
                },
            };
        }
    }
    return undefined;
}

function faultOf(facts: Facts, node: string): Omit<Fault, "summary"> {
    const { said, next } = networkAgents(facts, node);
    return {
        responsible: "pod network",
        nodes: [node],
        said,
        next: [
            {
                command: "ssh",
                words: [node, "--", "ip route; iptables -S FORWARD"],
                why: "routes and rules of the node",
            },
            ...next,
            { command: "repair", words: [node], why: "puts back routes and rules that `up` had set" },
        ],
    };
}
