import type * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import type { Parts } from "../host/parts";
import type { ClusterSpec } from "../spec/types";
import { localMachines } from "./local";
import type { Machine } from "./machine";

export interface Machines {
    /** One per node of the spec, in its order. */
    readonly machines: readonly Machine[];
    /** Address that kubeconfigs reach the API server by. */
    readonly endpoint: pulumi.Input<string>;
}

/** Creates the cluster's machines with the provider that the spec names. */
export function createMachines(
    args: { readonly spec: ClusterSpec; readonly parts: Parts; readonly sshKey: tls.PrivateKey },
    parent: pulumi.Resource,
): Machines {
    const { spec } = args;
    switch (spec.provider) {
        case "local": {
            if (spec.local === undefined) {
                throw new Error("a local cluster's spec has local settings");
            }
            return {
                machines: localMachines({ ...args, local: spec.local }, parent),
                endpoint: spec.local.apiAddress,
            };
        }
        case "aws":
        case "hosts":
            throw new Error(`the spec let the provider ${spec.provider} pass`);
    }
}
