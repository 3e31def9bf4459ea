import * as pulumi from "@pulumi/pulumi";
import type { KnownHost } from "./machines/hosts/rules";
import {
    type ClusterSpec,
    InvalidConfig,
    refuseImmutableChange,
    type RunningCluster,
    type SettingsOf,
} from "./cluster-spec";
import { valueOf } from "./value-of";

/** What the stack put out of a cluster when it ran last: `Cluster.outputs`, as far as the next run reads it. */
export interface LastOutputs {
    /** What the cluster was built with, and the name of its component. */
    readonly cluster?: RunningCluster & { readonly component?: string };
    readonly nodes?: readonly { readonly name: string }[];
    /** By node name, where the cluster is made of hosts that exist. */
    readonly hosts?: Readonly<Record<string, KnownHost>>;
}

/** The facts of a cluster from its last run; empty where it never ran. */
export interface LastRun {
    /** Names of the nodes. */
    readonly nodes: readonly string[];
    readonly hosts: Readonly<Record<string, KnownHost>>;
}

/**
 * The outputs of this stack's own last run, at preview too; empty where it never ran.
 *
 * @param name of the stack reference.
 */
export async function lastOutputs(
    name: string,
    options: pulumi.CustomResourceOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
    const stack = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
    const self = new pulumi.StackReference(name, { name: stack }, options);
    // A secret output counts as one, whatever else it is made of.
    return (await valueOf<Readonly<Record<string, unknown>>>(self.outputs)) ?? {};
}

/** Those of a component's cluster among the outputs of its stack: wherever the program exports `Cluster.outputs`. */
export function outputsOf(component: string, outputs: Readonly<Record<string, unknown>>): LastOutputs {
    const all = [outputs, ...Object.values(outputs)].filter(
        (value): value is LastOutputs => typeof value === "object" && value !== null && "cluster" in value,
    );
    return all.find(({ cluster }) => cluster?.component === component) ?? {};
}

/** @throws InvalidConfig when a running cluster would have to change something that it can't. */
export function refuseChangesToARunningCluster(spec: ClusterSpec, last: LastOutputs, settings: SettingsOf): LastRun {
    const problems = refuseImmutableChange(last.cluster, spec);
    if (problems.length > 0) {
        throw new InvalidConfig(settings, problems);
    }
    return { nodes: (last.nodes ?? []).map(({ name }) => name), hosts: last.hosts ?? {} };
}
