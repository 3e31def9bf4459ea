import type { Problem } from "./problems";
import type { ClusterSpec } from "./types";

/** What a running cluster was built with and can't change any more. */
export type RunningCluster = Pick<ClusterSpec, (typeof IMMUTABLE)[number]>;

/** Keys of the config that a running cluster keeps for life. */
export const IMMUTABLE = ["name", "network", "podCidr", "serviceCidr", "clusterDomain"] as const;

const REASONS: Readonly<Record<(typeof IMMUTABLE)[number], string>> = {
    name: "certificates, kubeconfigs and machines carry the name",
    network: "running pods keep the network they were started on",
    podCidr: "a node's pod CIDR can't be changed once it is set, and running pods keep their addresses",
    serviceCidr: "services keep their addresses and the certificates name the first one",
    clusterDomain: "running pods keep the search domain they were started with",
};

/** The differences that a running cluster can't follow; none where no cluster is running yet. */
export function refuseImmutableChange(previous: RunningCluster | undefined, next: ClusterSpec): Problem[] {
    if (previous === undefined) {
        return [];
    }
    return IMMUTABLE.filter((key) => previous[key] !== next[key]).map((key) => ({
        key,
        value: next[key],
        problem: `can't replace ${JSON.stringify(previous[key])} while the cluster is running: ${REASONS[key]}`,
        remedy: `set it back to ${JSON.stringify(previous[key])}, or destroy the cluster first`,
    }));
}
