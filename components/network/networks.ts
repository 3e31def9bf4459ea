import type * as pulumi from "@pulumi/pulumi";
import { Kubenet, type KubenetArgs } from "./kubenet";
import type { PodNetwork } from "./pod-network";

/** The pod network that the spec names. */
export function podNetwork(args: KubenetArgs, options: pulumi.ComponentResourceOptions): PodNetwork {
    switch (args.spec.network) {
        case "kubenet":
            return new Kubenet(args, options);
        case "bridge":
        case "cni":
            throw new Error(`the spec let the network ${args.spec.network} pass`);
    }
}
