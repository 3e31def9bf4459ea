import * as pulumi from "@pulumi/pulumi";
import type { KnownHost } from "./machines/hosts/rules";
import { type ClusterSpec, InvalidConfig, refuseImmutableChange, type RunningCluster } from "./cluster-spec";

/** What the stack put out when it ran last; nothing where it never did. */
export interface LastRun {
    /** Names of the nodes. */
    readonly nodes: readonly string[];
    /** By node name, where the cluster is made of hosts that exist. */
    readonly hosts: Readonly<Record<string, KnownHost>>;
}

/**
 * Compares the spec with the output `cluster` of the stack's own last run, at preview too.
 *
 * @throws InvalidConfig when a running cluster would have to change something that it can't.
 */
export async function refuseChangesToARunningCluster(spec: ClusterSpec): Promise<LastRun> {
    const name = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
    const self = new pulumi.StackReference("last-run", { name });
    const previous = (await self.getOutputDetails("cluster")).value as RunningCluster | undefined;
    const problems = refuseImmutableChange(previous, spec);
    if (problems.length > 0) {
        throw new InvalidConfig(pulumi.getStack(), problems);
    }
    const nodes = (await self.getOutputDetails("nodes")).value as readonly { readonly name: string }[] | undefined;
    const hosts = (await self.getOutputDetails("hosts")).value as LastRun["hosts"] | undefined;
    return { nodes: (nodes ?? []).map((node) => node.name), hosts: hosts ?? {} };
}
