import * as pulumi from "@pulumi/pulumi";
import { type ClusterSpec, InvalidConfig, IMMUTABLE, refuseImmutableChange, type RunningCluster } from "./spec";

/** The part of a spec that its cluster keeps for life: an output of the stack, for the next run to compare with. */
export function keptForLife(spec: ClusterSpec): RunningCluster {
    return Object.fromEntries(IMMUTABLE.map((key) => [key, spec[key]])) as unknown as RunningCluster;
}

/**
 * Compares the spec with the output `cluster` of the stack's own last run, at preview too.
 *
 * @throws InvalidConfig when a running cluster would have to change something that it can't.
 */
export async function refuseChangesToARunningCluster(spec: ClusterSpec): Promise<void> {
    const name = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
    const self = new pulumi.StackReference("last-run", { name });
    const previous = (await self.getOutputDetails("cluster")).value as RunningCluster | undefined;
    const problems = refuseImmutableChange(previous, spec);
    if (problems.length > 0) {
        throw new InvalidConfig(pulumi.getStack(), problems);
    }
}
