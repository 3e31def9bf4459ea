import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { BringUpStep, ClusterSpec, NetworkMode, Role } from "./types";

/** What decides which steps a bring-up has. */
type Deciding = Pick<ClusterSpec, "hosting" | "network" | "serviceProxy" | "components">;

const NODE: readonly BringUpStep[] = ["containerd", "kubelet"];

/** The steps that a pod network is made in. */
function networkSteps(network: NetworkMode): readonly BringUpStep[] {
    switch (network) {
        case "kubenet":
            return ["bridge", "pod-cidrs", "routes", "network"];
        case "cni":
            return ["bridge", "network"];
        case "bridge":
            return ["network"];
    }
}

function inOrder({ hosting, network }: Deciding, controlPlane: readonly BringUpStep[]): BringUpStep[] {
    const networking = networkSteps(network);
    switch (hosting) {
        case "systemd":
            return [...controlPlane, ...NODE, ...networking];
        case "static-pods":
            // The control plane's processes are pods: first there has to be a kubelet. A plugin's are pods of a DaemonSet.
            return network === "cni"
                ? [...NODE, ...controlPlane, ...networking]
                : [...NODE, ...networking, ...controlPlane];
    }
}

/** All steps of a cluster's bring-up, in order; parts that are switched off have none. */
export function bringUpSteps(deciding: Deciding): BringUpStep[] {
    const { serviceProxy, components } = deciding;
    const controlPlane: BringUpStep[] = [
        "etcd",
        "api-server",
        ...(components.controllerManager ? (["controller-manager"] as const) : []),
        ...(components.scheduler ? (["scheduler"] as const) : []),
    ];
    return [
        "machines",
        ...inOrder(deciding, controlPlane),
        ...(Object.values(serviceProxy).includes("kube-proxy") ? (["kube-proxy"] as const) : []),
        ...(components.dns ? (["dns"] as const) : []),
    ];
}

/** Whether pods get addresses on the nodes, whomever they reach with them. */
export function hasPodNetwork({ steps }: Pick<ClusterSpec, "steps">): boolean {
    return steps.includes("bridge") || steps.includes("network");
}

/** Whether nodes of the role have kube-proxy as a service of their own. */
export function hasKubeProxy(
    { steps, serviceProxy }: Pick<ClusterSpec, "steps" | "serviceProxy">,
    role: Role,
): boolean {
    return steps.includes("kube-proxy") && serviceProxy[role] === "kube-proxy";
}

/** The steps up to the last one that is wanted. */
export function stepsUntil(steps: readonly BringUpStep[], last: BringUpStep | undefined): readonly BringUpStep[] {
    return last === undefined ? steps : steps.slice(0, steps.indexOf(last) + 1);
}

/** A `stopAfter` that isn't a step of this cluster. */
export function refuseUnknownStop({
    stopAfter,
    hosting,
    network,
    serviceProxy,
    components,
}: Partial<Config>): Problem[] {
    if (stopAfter === undefined || hosting === undefined || network === undefined || components === undefined) {
        return [];
    }
    const byKubeProxy = components.kubeProxy && Object.values(serviceProxy ?? {}).some((proxy) => proxy !== "ipvs");
    const proxy = byKubeProxy ? "kube-proxy" : "none";
    const steps = bringUpSteps({
        hosting,
        network,
        components,
        serviceProxy: { "control-plane": proxy, worker: proxy },
    });
    if (steps.includes(stopAfter)) {
        return [];
    }
    const problem = "is no step of this cluster: a component that is switched off, or another kind of network's";
    return [{ key: "stopAfter", value: stopAfter, problem, remedy: `use one of ${steps.join(", ")}` }];
}
