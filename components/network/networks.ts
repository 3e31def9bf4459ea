import type * as pulumi from "@pulumi/pulumi";
import { Bridge } from "./bridge";
import { DaemonSetNetwork } from "./daemon-set-network";
import { flannel } from "./flannel";
import { Kubenet } from "./kubenet";
import { kubeRouter } from "./kube-router";
import type { PodNetwork, PodNetworkArgs } from "./pod-network";

/** The pod network that the spec names, as far as its steps go. */
export function podNetwork(args: PodNetworkArgs, options: pulumi.ComponentResourceOptions): PodNetwork {
    const { spec } = args;
    switch (spec.network) {
        case "kubenet":
            return new Kubenet(args, options);
        case "cni":
            if (!spec.steps.includes("network")) {
                return new Bridge(args, options);
            }
            return new DaemonSetNetwork(spec.cniPlugin === "flannel" ? flannel(spec) : kubeRouter(spec), args, options);
        case "bridge":
            return new Bridge(args, options);
    }
}
