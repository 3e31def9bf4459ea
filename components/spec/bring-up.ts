import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { BringUpStep, ClusterSpec } from "./types";

/** What decides which steps a bring-up has. */
type Deciding = Pick<ClusterSpec, "hosting" | "network" | "serviceProxy" | "components">;

const NODE: readonly BringUpStep[] = ["containerd", "kubelet"];

function inOrder({ hosting, network }: Deciding, controlPlane: readonly BringUpStep[]): BringUpStep[] {
    switch (hosting) {
        case "systemd":
            return [...controlPlane, ...NODE, "network"];
        case "static-pods":
            // The control plane's processes are pods: first there has to be a kubelet. A plugin's are pods of a DaemonSet.
            return network === "cni" ? [...NODE, ...controlPlane, "network"] : [...NODE, "network", ...controlPlane];
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
        ...(serviceProxy === "kube-proxy" ? (["kube-proxy"] as const) : []),
        ...(components.dns ? (["dns"] as const) : []),
    ];
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
    const proxy = components.kubeProxy && serviceProxy !== "ipvs" ? "kube-proxy" : "none";
    const steps = bringUpSteps({ hosting, network, components, serviceProxy: proxy });
    if (steps.includes(stopAfter)) {
        return [];
    }
    const problem = "is a component that is switched off";
    return [{ key: "stopAfter", value: stopAfter, problem, remedy: `use one of ${steps.join(", ")}` }];
}
