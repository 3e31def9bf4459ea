import type { Next, Said } from "./explanation";
import { type Facts, machineOf, partOf } from "./facts";
import { nodePart } from "./parts";

/** What of the pod network runs on a node: a unit, or a pod of a DaemonSet. */
export interface AgentState {
    readonly evidence: readonly string[];
    readonly said: readonly Said[];
    readonly next: readonly Next[];
}

/** `kubenet.service`; or the plugin's pod, with the unit that waits for it to write the CNI configuration. */
export function networkAgents(facts: Facts, node: string): AgentState {
    const { podNetwork, snapshot } = facts;
    if (partOf(machineOf(facts, node), "kubenet") !== undefined) {
        const { evidence, said, next } = nodePart(facts, node, "kubenet");
        return { evidence, said, next };
    }
    const pods = snapshot.pods.filter(
        ({ metadata, spec }) =>
            metadata.namespace === "kube-system" && spec.nodeName === node && metadata.name.startsWith(podNetwork),
    );
    const [pod] = pods;
    if (pod === undefined) {
        return {
            evidence: [`no pod of ${podNetwork} on ${node}`],
            said: [],
            next: [
                {
                    command: "kubectl",
                    words: ["-n", "kube-system", "get", "pods", "-o", "wide"],
                    why: "the plugin's pods",
                },
            ],
        };
    }
    const ready = pod.status.containerStatuses?.every((each) => each.ready) ?? false;
    const { name } = pod.metadata;
    const waiting = nodePart(facts, node, "cni-config.path");
    const log = facts.logs[`kube-system/${name}/${pod.spec.containers[0]?.name ?? ""}`] ?? [];
    return {
        evidence: [
            `${name} on ${node}: ${ready ? "ready" : `not ready, ${pod.status.phase ?? ""}`}`,
            ...waiting.evidence,
        ],
        said: log.length === 0 ? [] : [{ who: name, lines: log }],
        next: [
            { command: "explain", words: ["-n", "kube-system", `pod/${name}`], why: "the plugin's pod on the node" },
        ],
    };
}
