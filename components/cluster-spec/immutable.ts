import type { Problem } from "./problems";
import type { ClusterSpec } from "./types";

const REASONS = {
    name: "certificates, kubeconfigs and machines carry the name",
    network: "running pods keep the network they were started on",
    cniPlugin: "running pods keep the network they were started on",
    overlay: "running pods keep the packet size that their nodes' network had when they were started",
    serviceProxy: "kube-proxy and IPVS each leave their rules behind, and packets would meet both",
    hosting: "the data and ports of units and of static pods are the same, and both would run for a while",
    podCidr: "a node's pod CIDR can't be changed once it is set, and running pods keep their addresses",
    serviceCidr: "services keep their addresses and the certificates name the first one",
    clusterDomain: "running pods keep the search domain they were started with",
} as const;

type LifelongKey = keyof typeof REASONS;

/** The settings that a running cluster cannot change; those that its network does not use are absent. */
export type RunningCluster = Readonly<Partial<Record<LifelongKey, string>>>;

/** The part of a spec that its cluster keeps for life, in the order of the config's keys. */
export function keptForLife(spec: ClusterSpec): RunningCluster {
    const { name, network, hosting, podCidr, serviceCidr, clusterDomain } = spec;
    return { name, network, ...ofPlugin(spec), hosting, podCidr, serviceCidr, clusterDomain };
}

function ofPlugin({ network, cniPlugin, overlay, serviceProxy }: ClusterSpec): RunningCluster {
    if (network !== "cni") {
        return {};
    }
    // Without any, kube-proxy can come later; IPVS can't.
    const proxy = serviceProxy === "ipvs" ? "ipvs" : "kube-proxy";
    return { cniPlugin, overlay, ...(cniPlugin === "kube-router" ? { serviceProxy: proxy } : {}) };
}

/** The changes that a running cluster cannot follow; none where no cluster is running. */
export function refuseImmutableChange(previous: RunningCluster | undefined, next: ClusterSpec): Problem[] {
    if (previous === undefined) {
        return [];
    }
    const wanted = Object.entries(keptForLife(next)) as [LifelongKey, string][];
    return wanted.flatMap(([key, value]) => {
        const was = previous[key];
        if (was === undefined || was === value) {
            return [];
        }
        const problem = `can't replace ${JSON.stringify(was)} while the cluster is running: ${REASONS[key]}`;
        const remedy = `set it back to ${JSON.stringify(was)}, or destroy the cluster first`;
        return [{ key, value, problem, remedy }];
    });
}
