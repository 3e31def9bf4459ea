import * as pulumi from "@pulumi/pulumi";
import type { Component } from "../component";
import type { Parts } from "../steps/parts";
import { sshKeyOf } from "../steps/ssh-identity";
import type { ClusterSpec } from "../cluster-spec/types";
import { goArchitecture, OWN_ARCHITECTURE } from "./architecture";
import { hostMachines } from "./hosts";
import type { InspectedHost } from "./hosts/rules";
import { localMachines } from "./local";
import type { Machine } from "./machine";
import type { Rollout } from "../rollout";

export interface Machines {
    /** One per node of the spec, in its order. */
    readonly machines: readonly Machine[];
    /** Address that kubeconfigs reach the API server by. */
    readonly endpoint: pulumi.Input<string>;
    /** TCP port of the endpoint, where it isn't the API server's own. */
    readonly endpointPort?: number;
    /** Name that kubeconfigs expect in the API server's certificate, where it isn't the endpoint's own. */
    readonly serverName?: string;
    /** Address that nodes reach it by. */
    readonly innerEndpoint: pulumi.Input<string>;
    /** Of all machines, as Go and OCI call it. */
    readonly architecture: pulumi.Input<string>;
    /** The private key for all machines; absent where every machine has one of its user's. */
    readonly privateKey?: pulumi.Output<string>;
}

/** Creates the cluster's machines with the provider that the spec names. */
export function createMachines(
    args: {
        readonly spec: ClusterSpec;
        readonly parts: Parts;
        readonly rollout: Rollout;
        /** The hosts of a cluster on such, in the order of the spec's list. */
        readonly hosts: pulumi.Input<readonly InspectedHost[]>;
    },
    parent: Component,
): Machines {
    const { spec } = args;
    switch (spec.provider) {
        case "local": {
            if (spec.local === undefined) {
                throw new Error("a local cluster's spec has local settings");
            }
            const sshKey = sshKeyOf(spec, parent);
            return {
                machines: localMachines({ ...args, sshKey, local: spec.local }, parent),
                endpoint: spec.local.outer.apiAddress,
                innerEndpoint: spec.local.apiAddress,
                architecture: OWN_ARCHITECTURE,
                privateKey: sshKey.privateKeyOpenssh,
            };
        }
        case "aws": {
            if (spec.aws === undefined) {
                throw new Error("a cluster on AWS has settings of AWS in its spec");
            }
            // Loaded on demand, since it is slow. Synchronously, since Cluster's constructor cannot wait.
            // eslint-disable-next-line @typescript-eslint/no-require-imports
            const { awsMachines } = require("./aws") as typeof import("./aws");
            const [first] = spec.controlPlanes;
            const innerEndpoint = spec.aws.machines[first?.name ?? ""]?.privateAddress ?? "";
            const sshKey = sshKeyOf(spec, parent);
            const { privateKeyOpenssh: privateKey } = sshKey;
            const { architecture } = spec.aws;
            return {
                ...awsMachines({ ...args, sshKey, aws: spec.aws }, parent),
                innerEndpoint,
                architecture,
                privateKey,
            };
        }
        case "hosts": {
            const machines = hostMachines(spec, args.hosts, parent);
            const { loadBalancer } = spec.api;
            const first = spec.hosts?.find(({ name }) => name === spec.controlPlanes[0]?.name);
            return {
                machines,
                // The same address where no other one is set, or as the workstation reaches the only control plane.
                endpoint: loadBalancer?.host ?? spec.apiEndpoint ?? first?.address ?? "",
                ...(loadBalancer === undefined ? {} : { endpointPort: loadBalancer.port }),
                innerEndpoint: first?.privateAddress ?? "",
                architecture: pulumi
                    .output(args.hosts)
                    .apply((hosts) => goArchitecture(hosts[0]?.report.architecture ?? "")),
            };
        }
    }
}
