import * as pulumi from "@pulumi/pulumi";
import { secretKeysOf, settingsIn, settingsOf } from "./args-from-config";
import type { ClusterArgs } from "./cluster-args";
import { signsAnew } from "./cluster-spec/authorities";
import { type ClusterSpec, errorInWordsOf, parseClusterSpec, type RunningCluster } from "./cluster-spec";
import { withAwsConfig } from "./cluster-spec/aws-config";
import { stackFileProblems } from "./cluster-spec/stack-file";
import { inspectHosts } from "./machines/hosts/preflight";
import type { InspectedHost } from "./machines/hosts/rules";
import { type LastOutputs, refuseChangesToARunningCluster } from "./running-cluster";

/** The results of the checks that run before anything of a cluster is made. */
export interface ClusterChecks {
    /** What the args describe, with what was chosen for the cluster in an earlier run. */
    readonly spec: ClusterSpec;
    /** Names of the nodes that it had at the end of its last run. */
    readonly nodes: readonly string[];
    /** The facts of its hosts, with provider `hosts`. */
    readonly hosts: readonly InspectedHost[];
    /** Of the parts that they all had then. */
    readonly rolledOut?: string | undefined;
    /** Whether another key signs the certificates of kubelets than in the last run. */
    readonly signsAnew: boolean;
}

/**
 * What the args of a cluster describe.
 *
 * @param running the cluster that is running: what was chosen for it stays.
 * @throws InvalidConfig with every problem that they have in themselves.
 */
export function clusterSpec(name: string, args: ClusterArgs, running?: RunningCluster): ClusterSpec {
    const settings = settingsOf(args, name);
    const component = "component" in settings ? settings.component : undefined;
    const stack = pulumi.getStack();
    const { raw, problems } = withAwsConfig(settingsIn(args));
    const misplaced = component === undefined ? stackFileProblems(process.cwd(), stack) : [];
    return parseClusterSpec(raw, {
        stack,
        component,
        running,
        problems: [...misplaced, ...problems],
        secretKeys: secretKeysOf(args),
    });
}

/**
 * Checks what can be checked before anything is made, at preview as at `up`: the args, whether a running cluster can become what they
 * say, and its hosts. `Cluster` does so by itself. A program that awaits it first ends with what it throws, and a cluster's resources
 * needn't wait for it.
 *
 * @param last what the stack put out of the cluster when it ran last.
 * @throws InvalidConfig, HostsNotReady as RunErrors, with every problem: Pulumi prints them without a stack trace.
 */
export async function checkCluster(name: string, args: ClusterArgs, last: LastOutputs): Promise<ClusterChecks> {
    const settings = settingsOf(args, name);
    try {
        const spec = clusterSpec(name, args, last.cluster);
        const { nodes, hosts } = refuseChangesToARunningCluster(spec, last, settings);
        const { rolledOut, authorities = {} } = last.cluster ?? {};
        const anew = last.cluster !== undefined && signsAnew(authorities, spec.authorities);
        return { spec, nodes, hosts: await inspectHosts(spec, hosts), rolledOut, signsAnew: anew };
    } catch (error) {
        throw errorInWordsOf(settings, error);
    }
}
