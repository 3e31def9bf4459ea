import type { BringUpStep, ClusterSpec } from "../../../components/cluster-spec";

/** A command that a person could type, and its expected output. */
export interface Look {
    /** What is there to see; printed before the command. */
    readonly why?: string;
    /** Where it runs: with kubectl here, or in a shell on the node of that name. */
    readonly on: "kubectl" | { readonly node: string };
    /** Arguments of kubectl, or a command line. */
    readonly command: string;
    /** Standard input of kubectl: objects, as JSON. */
    readonly objects?: readonly object[];
    /** Must match what the command prints, errors too, within `seconds`. */
    readonly shows: RegExp;
    readonly seconds?: number;
}

/** What a person sees where the bring-up stops. */
export interface Stop {
    readonly step: BringUpStep;
    /** What the step added, in a sentence or two. */
    readonly added: string;
    readonly looks: readonly Look[];
    /** What does not work yet, and which component is missing. */
    readonly missing?: string;
}

/** What exists when the bring-up stops at a step, and what this cluster never has. */
export interface Reached {
    readonly spec: ClusterSpec;
    /** Whether a step was done, this one included. */
    readonly done: (step: BringUpStep) => boolean;
    /** Whether a step comes later. */
    readonly comes: (step: BringUpStep) => boolean;
}

/** What is said of a command that doesn't show what it should. */
export const UNEXPECTED = "Unexpected output: this step did not behave as described.";

export const IMAGE = "nginx";
export const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

export function kubectl(command: string, shows: RegExp, more: Partial<Look> = {}): Look {
    return { on: "kubectl", command, shows, ...more };
}

export function shell(node: string, command: string, shows: RegExp, more: Partial<Look> = {}): Look {
    return { on: { node }, command, shows, ...more };
}

/** The first control plane. */
export function controlPlane({ spec }: Pick<Reached, "spec">): string {
    return spec.controlPlanes[0]?.name ?? "cp-1";
}

/** The last node: a worker, where there is one. */
export function lastNode({ spec }: Pick<Reached, "spec">): string {
    return spec.nodes.at(-1)?.name ?? "cp-1";
}
