import * as pulumi from "@pulumi/pulumi";
import { type ClusterSpec, InvalidConfig, refuseImmutableChange, type RunningCluster } from "./spec";

/**
 * Compares the spec with the output `cluster` of the stack's own last run, at preview too.
 *
 * @returns the names of the nodes that the cluster had then.
 * @throws InvalidConfig when a running cluster would have to change something that it can't.
 */
export async function refuseChangesToARunningCluster(spec: ClusterSpec): Promise<readonly string[]> {
    const name = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
    const self = new pulumi.StackReference("last-run", { name });
    const previous = (await self.getOutputDetails("cluster")).value as RunningCluster | undefined;
    const problems = refuseImmutableChange(previous, spec);
    if (problems.length > 0) {
        throw new InvalidConfig(pulumi.getStack(), problems);
    }
    const nodes = (await self.getOutputDetails("nodes")).value as readonly { readonly name: string }[] | undefined;
    return (nodes ?? []).map((node) => node.name);
}
