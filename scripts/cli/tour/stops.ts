import type { BringUpStep, ClusterSpec } from "../../../components/cluster-spec";
import { apiServer, controllerManager, etcd, scheduler } from "./control-plane";
import { bridge, network, podCidrs, routes } from "./network";
import { containerd, dns, kubelet, kubeProxy, machines } from "./node";
import type { Reached, Stop } from "./stop";

const STOPS: Readonly<Record<BringUpStep, (at: Reached) => Stop>> = {
    machines,
    etcd,
    "api-server": apiServer,
    "controller-manager": controllerManager,
    scheduler,
    containerd,
    kubelet,
    bridge,
    "pod-cidrs": podCidrs,
    routes,
    network,
    "kube-proxy": kubeProxy,
    dns,
};

/** What a person sees at every step of a cluster's bring-up, in its order. */
export function tourStops(spec: ClusterSpec): Stop[] {
    return spec.steps.map((step, position) =>
        STOPS[step]({
            spec,
            done: (other) => spec.steps.slice(0, position + 1).includes(other),
            comes: (other) => spec.steps.slice(position + 1).includes(other),
        }),
    );
}
