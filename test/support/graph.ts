import type * as pulumi from "@pulumi/pulumi";
import { bringUp } from "../../components/bring-up";
import { Component } from "../../components/component";
import type { InspectedHost } from "../../components/machines/hosts/rules";
import type { ClusterSpec } from "../../components/cluster-spec/types";
import { readSettings, settingsIn } from "./machine-requests";
import { type Registration, run, type Run, type RunOptions } from "./mocks";
import { unwrap } from "./secrets";

export const REMOTE_STEP = "command:remote:Command";

/** A cluster's component without the checks of what it is made from. */
class CheckedCluster extends Component {
    constructor(name: string, options: pulumi.ComponentResourceOptions) {
        super("kubelab:index:Cluster", name, options);
    }
}

/** Everything that the program makes for a spec. */
export async function clusterGraph(
    spec: ClusterSpec,
    options: RunOptions & {
        readonly running?: readonly string[];
        /** What the last run that came to its end had as `partsRun`. */
        readonly rolledOut?: string;
        readonly signsAnew?: boolean;
        readonly hosts?: readonly InspectedHost[];
        readonly component?: pulumi.ComponentResourceOptions;
    } = {},
): Promise<Run> {
    const { running = [], rolledOut, signsAnew = false, hosts = [], component = {} } = options;
    return run(() => {
        const args = { spec, directory: ".kubelab/test", running, rolledOut, signsAnew, hosts };
        const { kubeconfig, nodes, apiServer, sshCommands } = bringUp(args, new CheckedCluster(spec.name, component));
        return { kubeconfig, nodes, apiServer, sshCommands };
    }, options);
}

/** The inputs in the clear, as the tests read them. */
export interface StepInputs {
    readonly connection: Readonly<Record<string, unknown>>;
    readonly create: string;
    readonly delete?: string;
    readonly stdin: string;
    readonly triggers?: readonly string[];
    readonly logging: string;
}

export function inputsOf(resource: Registration): StepInputs {
    return unwrap(resource.inputs) as StepInputs;
}

/** The steps over SSH, of one machine or of all. */
export function remoteSteps(graph: Run, machine?: { readonly address: string }): Registration[] {
    return graph.resources.filter(
        (resource) =>
            resource.type === REMOTE_STEP &&
            (machine === undefined || inputsOf(resource).connection["host"] === machine.address),
    );
}

/** @throws Error where there isn't exactly one. */
export function find(graph: Run, type: string, name: string): Registration {
    const found = graph.resources.filter((resource) => resource.type === type && resource.name === name);
    const [first] = found;
    if (first === undefined || found.length > 1) {
        throw new Error(`${found.length} resources ${type} ${name}`);
    }
    return first;
}

/** Whether the one is made only after the other, directly or by what lies between them. */
export function needsBefore(graph: Run, later: Registration, earlier: Registration): boolean {
    const seen = new Set<string>();
    const reaches = ({ dependencies }: Registration): boolean =>
        dependencies.some((dependency) => {
            if (dependency === earlier.urn) {
                return true;
            }
            const next = graph.resources.find(({ urn }) => urn === dependency);
            if (next === undefined || seen.has(dependency)) {
                return false;
            }
            seen.add(dependency);
            return reaches(next);
        });
    return reaches(later);
}

/** The text of a step. */
export function script(graph: Run, name: string): string {
    return inputsOf(find(graph, REMOTE_STEP, name)).stdin;
}

/** What a machine is asked to make a certificate request for. @throws Error where it isn't asked for that. */
export function requestIn(graph: Run, machine: string, certificate: string): ReturnType<typeof readSettings> {
    const settings = settingsIn(script(graph, `${machine}-keys`))[certificate];
    if (settings === undefined) {
        throw new Error(`${machine} isn't asked for ${certificate}`);
    }
    return readSettings(settings);
}

/** The files that a step's text writes, by path. */
export function filesOf(text: string): Record<string, string> {
    const files = text.matchAll(/^(?:put|plan) (\S+) \S+ \S+ \w+ <<'(\w+)'\n([^]*?\n)\2$/gm);
    return Object.fromEntries([...files].map(([, path = "", , content = ""]) => [path, content]));
}

/** The file of that path in the step of that name. @throws Error where the step writes no such file. */
export function fileOf(graph: Run, step: string, path: string): string {
    const content = filesOf(script(graph, step))[path];
    if (content === undefined) {
        throw new Error(`${step} doesn't write ${path}`);
    }
    return content;
}

/** Value of a command-line flag in a unit. */
export function flagIn(unit: string, name: string): string | undefined {
    return new RegExp(`^ *--${name}=(.*?)( \\\\)?$`, "m").exec(unit)?.[1];
}
