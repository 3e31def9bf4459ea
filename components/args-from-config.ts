import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./cluster-args";
import { InvalidConfig, readConfig, type RawConfig, type SettingsOf } from "./cluster-spec";
import { decodeValues } from "./cluster-spec/read";

/** Args from a stack's config: problems name them as the config does. */
const FROM_CONFIG = new WeakMap<ClusterArgs, { readonly secretKeys: readonly string[] }>();

/**
 * A cluster's args as the config of the stack has them: every `kubelab:` key, and the sudo password of the environment.
 * They aren't checked yet; `Cluster` does that. The user's files go to `.kubelab/<stack>`, which is for one cluster of
 * the stack.
 *
 * @throws InvalidConfig for a key that can't be one.
 */
export function clusterArgsFromConfig(): ClusterArgs {
    const { raw, secretKeys } = readConfig();
    if (Object.hasOwn(raw, "directory")) {
        const problem = "is no key of the config";
        const remedy = "give the directory to Cluster in your program";
        throw new InvalidConfig({ stack: pulumi.getStack() }, [
            { key: "directory", value: undefined, problem, remedy },
        ]);
    }
    // Cluster reports values of a wrong type and unknown args.
    const values = decodeValues(raw) as ClusterArgs;
    const args: ClusterArgs = { ...values, directory: defaultDirectory() };
    FROM_CONFIG.set(args, { secretKeys });
    return args;
}

/** Who gave the args of the component. */
export function settingsOf(args: ClusterArgs, component: string): SettingsOf {
    return FROM_CONFIG.has(args) ? { stack: pulumi.getStack() } : { component };
}

/** The keys of the args that are secrets in the stack's config. */
export function secretKeysOf(args: ClusterArgs): readonly string[] {
    return FROM_CONFIG.get(args)?.secretKeys ?? [];
}

/** Where the files of a stack's cluster are; those of a named one are below it. */
export function defaultDirectory(component?: string): string {
    return [".kubelab", pulumi.getStack(), ...(component === undefined ? [] : [component])].join("/");
}

/** The settings in args: all that the stack config could say. */
export function settingsIn(args: ClusterArgs): RawConfig {
    return Object.fromEntries(Object.entries(args).filter(([key]) => key !== "directory"));
}
