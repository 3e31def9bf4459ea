import type * as pulumi from "@pulumi/pulumi";
import type { Parts } from "../host/parts";
import type { SshKey } from "../host/ssh-identity";
import type { ClusterSpec } from "../spec/types";
import { localMachines } from "./local";
import type { Machine } from "./machine";
import type { OneAtATime } from "./one-at-a-time";

export interface Machines {
    /** One per node of the spec, in its order. */
    readonly machines: readonly Machine[];
    /** Address that kubeconfigs reach the API server by. */
    readonly endpoint: pulumi.Input<string>;
    /** Address that nodes reach it by. */
    readonly innerEndpoint: pulumi.Input<string>;
}

/** Creates the cluster's machines with the provider that the spec names. */
export function createMachines(
    args: {
        readonly spec: ClusterSpec;
        readonly parts: Parts;
        readonly sshKey: SshKey;
        readonly turns: OneAtATime;
    },
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
                innerEndpoint: spec.local.apiAddress,
            };
        }
        case "aws": {
            if (spec.aws === undefined) {
                throw new Error("a cluster on AWS has settings of AWS in its spec");
            }
            // Loaded where it is needed only: it takes its time. Cluster's constructor, which can't wait, needs it at once.
            // eslint-disable-next-line @typescript-eslint/no-require-imports
            const { awsMachines } = require("./aws") as typeof import("./aws");
            const [first] = spec.controlPlanes;
            const innerEndpoint = spec.aws.machines[first?.name ?? ""]?.privateAddress ?? "";
            return { ...awsMachines({ ...args, aws: spec.aws }, parent), innerEndpoint };
        }
        case "hosts":
            throw new Error(`the spec let the provider ${spec.provider} pass`);
    }
}
