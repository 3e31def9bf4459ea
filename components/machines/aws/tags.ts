import * as pulumi from "@pulumi/pulumi";
import type { AwsSpec, ClusterSpec } from "../../cluster-spec/types";

/** Tag by which everything of a stack is found, also what a lost state has forgotten. */
export const STACK_TAG = "kubelab:stack";

/** Tags of every resource: what it is called, whose it is, and the user's own. */
export type Tags = (name: string) => Record<string, string>;

export function tagsOf({ name: lab }: Pick<ClusterSpec, "name">, { tags }: Pick<AwsSpec, "tags">): Tags {
    return (name) => ({ ...tags, Name: `${lab}-${name}`, [STACK_TAG]: pulumi.getStack(), "kubelab:lab": lab });
}
