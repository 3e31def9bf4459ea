import { forwardDecision } from "../inspect/packet-filter";
import { wayTo } from "../inspect/routes";
import { condition, type Node } from "../inspect/snapshot";
import { networkAgents } from "./agents";
import { networkRanges, unreadFault } from "./cni";
import { done, type Explanation, failed, type Finding, follow, unknown } from "./explanation";
import { type Facts, machineOf, partOf } from "./facts";
import { nodeCondition } from "./node-conditions";
import { controlPlanePart, nodePart, notRunning } from "./parts";
import { resourceName } from "./resource";

/** The chain of a node: from its machine to pods that may run there. */
export function explainNode(facts: Facts, node: Node): Explanation {
    const { name } = node.metadata;
    const followed = follow([
        { stage: "machine answers", responsible: "machine", find: () => machineAnswers(facts, name) },
        { stage: "containerd", responsible: "containerd", find: () => runs(facts, name, "containerd", "containerd") },
        { stage: "kubelet", responsible: "kubelet", find: () => runs(facts, name, "kubelet", "kubelet") },
        { stage: "registered", responsible: "kubelet", find: () => registered(facts, node) },
        { stage: "CNI configuration", responsible: "CNI plugin", find: () => configured(facts, name) },
        { stage: "Ready", responsible: "kubelet", find: () => ready(facts, node) },
        { stage: "pod range of its own", responsible: "pod network", find: () => ownRange(facts, node) },
        { stage: "pods' packets pass", responsible: "pod network", find: () => forwards(facts, name) },
        { stage: "services", responsible: "kube-proxy", find: () => services(facts, name) },
        { stage: "room", responsible: "kubelet", find: () => room(node, facts) },
        { stage: "takes pods", responsible: "author", find: () => takes(node) },
    ]);
    return { resource: resourceName(node), summary: followed.fault?.summary ?? "It is Ready.", ...followed };
}

function machineAnswers(facts: Facts, name: string): Finding {
    const machine = machineOf(facts, name);
    if (machine === undefined) {
        return unknown(`the stack has no machine ${name}: only the API knows it`);
    }
    if (machine.problem === undefined) {
        return done(`${machine.node.address}, by SSH`);
    }
    return failed([machine.problem], {
        responsible: "machine",
        nodes: [name],
        summary: `The machine ${name} doesn't answer at ${machine.node.address}: ${machine.problem}`,
        said: [],
        next: [
            { command: "status", words: [], why: "whether it runs" },
            { command: "repair", words: [name], why: "starts it, or makes it anew" },
        ],
    });
}

function runs(facts: Facts, name: string, program: string, responsible: "containerd" | "kubelet"): Finding {
    if (machineOf(facts, name) === undefined) {
        return unknown("its machine isn't one of the stack");
    }
    const state = nodePart(facts, name, program);
    return state.runs
        ? done(...state.evidence)
        : failed(state.evidence, notRunning(responsible, state, `${program} of ${name} doesn't run.`));
}

function registered(facts: Facts, node: Node): Finding {
    const { name, uid, creationTimestamp } = node.metadata;
    if (uid !== "") {
        return done(`Node object of ${creationTimestamp}`);
    }
    const state = nodePart(facts, name, "kubelet");
    return failed([`the API has no node ${name}`, ...state.evidence], {
        responsible: "kubelet",
        nodes: [name],
        summary: `The kubelet of ${name} runs, and has not registered its node.`,
        said: state.said,
        next: [
            ...state.next,
            {
                command: "kubectl",
                words: ["get", "certificatesigningrequests"],
                why: "its certificate is asked for here",
            },
        ],
    });
}

function configured(facts: Facts, name: string): Finding {
    const machine = machineOf(facts, name);
    if (machine === undefined) {
        return unknown("its machine isn't one of the stack");
    }
    const agents = networkAgents(facts, name);
    const [file] = Object.keys(machine.cni);
    if (file !== undefined) {
        return done(`${file}: ${networkRanges(machine).join(", ") || "no range in it"}`, ...agents.evidence);
    }
    return failed([`no file in /etc/cni/net.d on ${name}`, ...agents.evidence], {
        responsible: "CNI plugin",
        nodes: [name],
        summary: `${name} has no CNI configuration: no pod gets an address, and the node isn't Ready.`,
        said: [...nodePart(facts, name, "containerd").said, ...agents.said],
        next: [
            {
                command: "ssh",
                words: [name, "--", "ls -l /etc/cni/net.d"],
                why: "nothing; containerd reads a file that is written there",
            },
            ...agents.next,
            { command: "repair", words: [name], why: "writes the file again where `up` had written it" },
        ],
    });
}

function ready(facts: Facts, node: Node): Finding {
    const is = nodeCondition(node);
    const line = `Ready ${is?.status ?? "?"}, ${is?.reason ?? ""}: ${is?.message ?? ""}`;
    if (is?.status === "True") {
        return done(`${line}, since ${is.lastTransitionTime ?? "?"}`);
    }
    const kubelet = nodePart(facts, node.metadata.name, "kubelet");
    const unread = unreadFault(machineOf(facts, node.metadata.name), is?.message ?? "");
    if (unread !== undefined) {
        return failed([line], { ...unread, said: kubelet.said });
    }
    const server = controlPlanePart(facts, "API server");
    const silent = is?.status === "Unknown";
    return failed([line, ...kubelet.evidence], {
        responsible: "kubelet",
        nodes: [node.metadata.name],
        summary: silent
            ? `The kubelet of ${node.metadata.name} runs, and doesn't reach the API server: ${is.message ?? ""}`
            : `The kubelet says that its node isn't ready: ${is?.message ?? "it has said nothing yet"}`,
        said: [...kubelet.said, ...(silent ? server.said : [])],
        next: [
            ...kubelet.next,
            { command: "kubectl", words: ["describe", "node", node.metadata.name], why: "conditions and events" },
        ],
    });
}

/** No other node may give addresses out of the same range. */
function ownRange(facts: Facts, node: Node): Finding | undefined {
    const { name } = node.metadata;
    const own = networkRanges(machineOf(facts, name));
    const other = facts.machines.find(
        (machine) => machine.node.name !== name && networkRanges(machine).some((range) => own.includes(range)),
    );
    if (own.length === 0) {
        return undefined;
    }
    if (other === undefined) {
        return done(own.join(", "));
    }
    const second = other.node.name;
    return failed([`${name}: ${own.join(", ")}`, `${second}: ${networkRanges(other).join(", ")}`], {
        responsible: "pod network",
        nodes: [name, second],
        summary: `${name} and ${second} give their pods addresses out of the same range: two pods can have one address.`,
        said: [],
        next: [
            {
                command: "kubectl",
                words: ["get", "nodes", "-o", "custom-columns=NAME:.metadata.name,POD-CIDR:.spec.podCIDR"],
                why: "the ranges that they should have",
            },
            { command: "repair", words: [name, second], why: "puts back the range that `up` gave each" },
        ],
    });
}

/** Whether the node passes on packets between its pods and another node's. */
function forwards(facts: Facts, name: string): Finding | undefined {
    const machine = machineOf(facts, name);
    const other = facts.machines.find(({ node }) => node.name !== name);
    const inside = networkRanges(machine)[0]?.split("/")[0];
    if (machine === undefined || other === undefined || inside === undefined) {
        return undefined;
    }
    const bridge = wayTo(machine.routes, inside)?.device;
    const outer = wayTo(machine.routes, other.node.address)?.device;
    const packet = (
        source: string,
        destination: string,
        from?: string,
        to?: string,
    ): Parameters<typeof forwardDecision>[1] => ({
        source,
        destination,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
    });
    const decisions = [
        packet(other.node.address, inside, outer, bridge),
        packet(inside, other.node.address, bridge, outer),
    ].map((each) => ({ ...each, ...forwardDecision(machine.filter, each) }));
    const dropped = decisions.find(({ accepted }) => !accepted);
    if (dropped === undefined) {
        return done(...new Set(decisions.map(({ by }) => by)));
    }
    const agents = networkAgents(facts, name);
    return failed([`FORWARD drops ${dropped.source} → ${dropped.destination}: ${dropped.by}`, ...agents.evidence], {
        responsible: "pod network",
        nodes: [name],
        summary: `${name} drops packets that it should pass on between pods and other nodes: its FORWARD chain says ${dropped.by}.`,
        said: agents.said,
        next: [
            {
                command: "ssh",
                words: [name, "--", "iptables -S FORWARD"],
                why: "policy and rules; pods' packets need an ACCEPT",
            },
            ...agents.next,
            { command: "repair", words: [name], why: "puts back rules that `up` had set" },
        ],
    });
}

function services(facts: Facts, name: string): Finding | undefined {
    const machine = machineOf(facts, name);
    if (machine === undefined || machine.problem !== undefined) {
        return undefined;
    }
    const state = nodePart(facts, name, "kube-proxy");
    if (partOf(machine, "kube-proxy") === undefined) {
        return machine.ipvs.some((line) => /^(TCP|UDP) /.test(line))
            ? done("IPVS, by the pod network")
            : unknown(...state.evidence);
    }
    return state.runs
        ? done(...state.evidence)
        : failed(
              state.evidence,
              notRunning(
                  "kube-proxy",
                  state,
                  `kube-proxy of ${name} doesn't run: services keep the rules that they had there, and new ones get none.`,
              ),
          );
}

function room(node: Node, facts: Facts): Finding {
    const pressed = (node.status.conditions ?? []).filter(
        ({ type, status }) => /Pressure$/.test(type) && status === "True",
    );
    const [first] = pressed;
    return first === undefined
        ? done("no pressure of memory, disk or processes")
        : failed(
              pressed.map(({ type, message }) => `${type}: ${message ?? ""}`),
              {
                  responsible: "kubelet",
                  nodes: [node.metadata.name],
                  summary: `The kubelet of ${node.metadata.name} takes no more pods and evicts some: ${first.type}, ${first.message ?? ""}.`,
                  said: nodePart(facts, node.metadata.name, "kubelet").said,
                  next: [
                      {
                          command: "ssh",
                          words: [node.metadata.name, "--", "df -h /var/lib/kubelet; free -m"],
                          why: "disk and memory",
                      },
                  ],
              },
          );
}

function takes({ spec, status }: Node): Finding {
    const taints = (spec.taints ?? []).map(
        ({ key, value, effect }) => `${key}${value === undefined ? "" : `=${value}`}:${effect}`,
    );
    const list = taints.length === 0 ? ["no taints"] : [`only pods that tolerate ${taints.join(", ")}`];
    return condition(status.conditions, "Ready") === undefined || spec.unschedulable === true
        ? unknown("cordoned: the scheduler gives it no pods; `kubectl uncordon` undoes that", ...list)
        : done(...list);
}
