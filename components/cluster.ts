import * as pulumi from "@pulumi/pulumi";
import { defaultDirectory, settingsOf } from "./args-from-config";
import { bringUp, type BroughtUp, type NodeOutput } from "./bring-up";
import { refuseSharing } from "./clusters-of-program";
import type { ClusterArgs } from "./cluster-args";
import { checkCluster, type ClusterChecks, clusterSpec } from "./check-cluster";
import { errorInWordsOf, runningCluster, type RunningCluster, type SettingsOf } from "./cluster-spec";
import { Component } from "./component";
import { rethrowAsItIs } from "./rethrow";
import { knownHosts } from "./machines/hosts";
import type { KnownHost } from "./machines/hosts/rules";
import { lastOutputs, outputsOf } from "./running-cluster";

export interface ClusterOptions extends pulumi.ComponentResourceOptions {
    /**
     * What `checkCluster` found. Default: it is called, with what the stack put out of the cluster when it ran last, where the program
     * exports `outputs` of it.
     */
    readonly checks?: ClusterChecks | Promise<ClusterChecks>;
}

/** The outputs of a cluster. The next run reads the settings that must not change from them. */
export interface ClusterOutputs extends Pick<Cluster, "kubeconfig" | "nodes" | "apiServer" | "sshCommands"> {
    /** What the cluster keeps for life, and the name of its component. */
    readonly cluster: pulumi.Output<RunningCluster & { readonly component: string }>;
    /** By node name, with provider `hosts`: the identity that the next run expects of each host. */
    readonly hosts?: pulumi.Output<Readonly<Record<string, KnownHost>>>;
}

/**
 * A Kubernetes cluster, made from its parts on machines of its own, or as much of it as `stopAfter` lets come up.
 *
 * ```ts
 * const blue = new Cluster("blue", { workers: 1, local: { network: "10.241.0.0/24" } });
 * export const outputs = blue.outputs;
 * ```
 *
 * Export `outputs`: a later run, and its preview, compare themselves with them and refuse what a running cluster can't change.
 *
 * The names of all resources begin with the component's. `provider`, `providers` and `protect` of the options hold for all of them;
 * without a provider for AWS, one is made from `aws.region` and `aws.profile`.
 */
export class Cluster extends Component {
    /** The administrator's kubeconfig, secret. */
    readonly kubeconfig: pulumi.Output<string>;
    readonly nodes: pulumi.Output<readonly pulumi.UnwrappedObject<NodeOutput>[]>;
    /** `https://address:port` */
    readonly apiServer: pulumi.Output<string>;
    /** By node name: the command that opens a shell there, to be typed in the project's directory. */
    readonly sshCommands: pulumi.Output<Readonly<Record<string, string>>>;
    /** All of them, to export. */
    readonly outputs: ClusterOutputs;

    /**
     * Nothing of the cluster is made, at preview as at `up`, before all of it has been checked: the args immediately,
     * the rest (changes of a running cluster, the facts of hosts) while the program continues.
     *
     * @throws InvalidConfig with every problem of the args, as a RunError: Pulumi prints it without a stack trace.
     */
    constructor(name: string, args: ClusterArgs = {}, options: ClusterOptions = {}) {
        const { checks, ...own } = options;
        const settings = settingsOf(args, name);
        const spec = clusterSpec(name, args);
        const directory = args.directory ?? defaultDirectory(name);
        refuseSharing({ component: name, spec, directory }, settings);
        const parent = own.parent === undefined ? {} : { parent: own.parent };
        const checked = (
            checks === undefined
                ? lastOutputs(`${name}-last-run`, parent).then((all) => checkCluster(name, args, outputsOf(name, all)))
                : Promise.resolve(checks)
        ).catch(rethrowAsItIs);

        super("kubelab:index:Cluster", name, own);

        const make = ({ spec: whole, nodes, ...rest }: ClusterChecks): BroughtUp =>
            inWordsOf(settings, () => bringUp({ ...rest, spec: whole, directory, running: nodes }, this));
        // What waits for the outputs, as the engine does, waits for all that is made later, and fails where the checks do.
        const made =
            checks === undefined || checks instanceof Promise ? checked.then(make) : Promise.resolve(make(checks));
        this.kubeconfig = pulumi.output(made.then(({ kubeconfig }) => kubeconfig));
        this.nodes = pulumi.output(made.then(({ nodes }) => nodes));
        this.apiServer = pulumi.output(made.then(({ apiServer }) => apiServer));
        this.sshCommands = pulumi.output(made.then(({ sshCommands }) => sshCommands));
        const { kubeconfig, nodes, apiServer, sshCommands } = this;
        this.outputs = {
            ...{ kubeconfig, nodes, apiServer, sshCommands },
            cluster: pulumi.output(made.then((all) => all.rolledOut)).apply((rolledOut) =>
                checked.then(({ spec: whole }) => ({
                    component: name,
                    ...runningCluster(whole),
                    ...(rolledOut === undefined ? {} : { rolledOut }),
                })),
            ),
            ...(spec.provider === "hosts"
                ? { hosts: pulumi.output(checked.then(({ hosts }) => knownHosts(hosts))) }
                : {}),
        };
        this.registerOutputs({ ...this.outputs });
    }
}

function inWordsOf<T>(settings: SettingsOf, action: () => T): T {
    try {
        return action();
    } catch (error) {
        throw errorInWordsOf(settings, error);
    }
}
