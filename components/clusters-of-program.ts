import { getStackResource } from "@pulumi/pulumi/runtime/stack";
import { InvalidConfig, type Problem, type SettingsOf } from "./cluster-spec";
import type { ClusterSpec } from "./cluster-spec/types";

/** A cluster of the program that runs. */
interface Known {
    readonly component: string;
    readonly spec: ClusterSpec;
    readonly directory: string;
}

const clusters = new WeakMap<object, Known[]>();

/**
 * Refuses a cluster that would have files or, on this host, a lab or a network in common with another one of the same program.
 *
 * @throws InvalidConfig with everything that the other one has.
 */
export function refuseSharing(cluster: Known, settings: SettingsOf): void {
    const program = getStackResource();
    if (program === undefined) {
        return;
    }
    const others = clusters.get(program) ?? [];
    const problems = others.flatMap((other) => shared(cluster, other));
    if (problems.length > 0) {
        throw new InvalidConfig(settings, problems);
    }
    clusters.set(program, [...others, cluster]);
}

function shared({ spec, directory }: Known, other: Known): Problem[] {
    const both = (key: string, value: string): Problem => {
        const problem = `is that of Cluster "${other.component}" in the same program`;
        return { key, value, problem, remedy: "give each its own" };
    };
    const local = spec.provider === "local" && other.spec.provider === "local";
    return [
        ...(local && spec.name === other.spec.name ? [both("name", spec.name)] : []),
        ...(local && spec.local?.network === other.spec.local?.network
            ? [both("local.network", spec.local?.network ?? "")]
            : []),
        ...(directory === other.directory ? [both("directory", directory)] : []),
    ];
}
