import type { Pod } from "../inspect/snapshot";
import { networkAgents } from "./agents";
import { networkRanges } from "./cni";
import { done, failed, type Finding } from "./explanation";
import { type Facts, machineOf } from "./facts";

/** No other pod may have the address of a pod. */
export function ownAddress(facts: Facts, pod: Pod, podIP: string): Finding {
    const node = pod.spec.nodeName ?? "";
    const other = facts.snapshot.pods.find(
        ({ metadata, spec, status }) =>
            metadata.uid !== pod.metadata.uid &&
            status.podIP === podIP &&
            spec.hostNetwork !== true &&
            !["Succeeded", "Failed"].includes(status.phase ?? ""),
    );
    if (other === undefined) {
        return done(`status.podIP ${podIP}`);
    }
    const second = other.spec.nodeName ?? "";
    const otherName = `${other.metadata.namespace}/${other.metadata.name}`;
    const evidence = [`status.podIP ${podIP}`, `${otherName} on ${second} has ${podIP} too`];
    if (second === node) {
        return failed(evidence, {
            responsible: "CNI plugin",
            nodes: [node],
            summary: `Two pods of ${node} have the address ${podIP}, this one and ${otherName}: the plugin's record of addresses taken was lost.`,
            said: networkAgents(facts, node).said,
            next: [
                {
                    command: "ssh",
                    words: [node, "--", "ls /var/lib/cni/networks/*"],
                    why: "addresses taken: a file for each",
                },
                {
                    command: "kubectl",
                    words: ["-n", other.metadata.namespace ?? "", "delete", "pod", other.metadata.name],
                    why: "its controller makes another, with another address",
                },
            ],
        });
    }
    const both = [node, second].map((name) => ({ name, ...rangesOf(facts, name) }));
    const deviating = both.filter(({ ranges, wanted }) => wanted !== undefined && !ranges.includes(wanted));
    const nodes = (deviating.length > 0 ? deviating : both).map(({ name }) => name);
    const lines = both.map(
        ({ name, ranges, wanted }) =>
            `${name} gives addresses out of ${ranges.join(", ") || "an unknown range"}; its podCIDR is ${wanted ?? "not set"}`,
    );
    return failed([...evidence, ...lines], {
        responsible: "pod network",
        nodes,
        summary: `The address ${podIP} occurs twice: on ${node}, and on ${second} as that of ${otherName}. Each node reaches its own.`,
        said: nodes.flatMap((name) => networkAgents(facts, name).said),
        next: [
            ...nodes.map((name) => ({
                command: "ssh",
                words: [name, "--", "grep -h subnet /etc/cni/net.d/*"],
                why: "the range of the node's pods, which no other node may have",
            })),
            {
                command: "repair",
                words: nodes,
                why: "puts back the range that `up` gave each node; then delete the pods that have an address twice",
            },
        ],
    });
}

/** CIDRs that a node gives addresses out of, and the one that the API says. */
function rangesOf(
    facts: Facts,
    name: string,
): { readonly ranges: readonly string[]; readonly wanted: string | undefined } {
    const node = facts.snapshot.nodes.find(({ metadata }) => metadata.name === name);
    return { ranges: networkRanges(machineOf(facts, name)), wanted: node?.spec.podCIDR };
}
