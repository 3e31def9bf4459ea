import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machines/machine";
import { commandAsRoot, inputAsRoot } from "./as-root";
import { type Library, quote, renderScript, type StepScript } from "./script";

/**
 * Longest a step may take on the machine, in seconds: a killed `up` leaves its script running at most that long. More than the health
 * check of a unit that makes progress may take (service-library.sh).
 */
const STEP_TIMEOUT = 600;

/** Resources to wait for that are known when the program has come to its end. */
export type Turn = Promise<readonly pulumi.Resource[]>;

export interface StepArgs {
    readonly machine: Pick<
        Machine,
        "cluster" | "connection" | "id" | "vm" | "user" | "sudoPassword" | "repair" | "loginShell"
    >;
    readonly script: pulumi.Input<StepScript>;
    /** How the script comes by the step library, where that isn't on the machine yet. */
    readonly library?: Library;
    /** The script holds keys or tokens: its text is encrypted in the state, and neither it nor its output is ever logged. */
    readonly secret?: boolean;
    /** What it prints is a secret: encrypted in the state. */
    readonly secretOutput?: boolean;
    /** The script has something to undo while its machine stays. */
    readonly undo?: boolean;
    /** `$operation` tells the script whether it runs for the first time: `create`, or `update`. */
    readonly tellsFirstRun?: boolean;
    /** Name of the resource after the cluster's, where it isn't that of the step. */
    readonly resource?: string;
    /** A change of it replaces the step: its `delete` runs, then its `create`. */
    readonly triggers?: readonly pulumi.Input<string>[];
    /** `kubelab:repair` of another machine that the step is for. */
    readonly repair?: string | undefined;
    readonly dependsOn?: readonly pulumi.Resource[];
    /** What it waits for beside them in a rollout. */
    readonly turn?: Turn | undefined;
    /** Longest it may take on the machine, in seconds. */
    readonly timeout?: number;
}

/** Lines that make a script another one, so that it runs again, whenever what `kubelab:repair` says of its machine changes. */
export function repairComment(texts: readonly (string | undefined)[]): string[] {
    return [...new Set(texts)].filter((text) => text !== undefined).map((text) => `# repair: ${text}`);
}

/** The line that makes a script another one whenever parts were asked for again: what a stopped rollout has left is looked at. */
export function rolloutComment(run: string | undefined): string[] {
    return run === undefined ? [] : [`# rollout: ${run}`];
}

/**
 * One step on one machine: a bash script on the standard input of a constant command, over an SSH connection of its own.
 *
 * The rules for changing a machine hold here and nowhere else: no word of a script is in a command line or an error text; a
 * secret script isn't logged; the machine's id is part of the script, so a replaced machine gets every step again, as an update
 * that needs nothing of the old machine; a step whose machine goes is forgotten without a connection to it.
 *
 * @param name of the step in its machine's record; the resource is named `<cluster>-<name>`.
 */
export function step(name: string, args: StepArgs, parent: pulumi.Resource): remote.Command {
    const { machine, secret = false, undo = false, triggers = [], dependsOn = [], timeout = STEP_TIMEOUT } = args;
    const { resource = name } = args;
    const repair = [machine.repair, args.repair];
    const text = pulumi
        .all([args.script, machine.id])
        .apply(([script, id]) =>
            [
                `# on ${id}`,
                ...repairComment(repair),
                endsWithin(timeout),
                `export step=${quote(name)}`,
                renderScript(script, args.library, args.tellsFirstRun),
            ].join("\n"),
        );
    return new remote.Command(
        `${machine.cluster}-${resource}`,
        {
            connection: machine.connection,
            create: stepCommand(machine, "create"),
            ...(args.tellsFirstRun === true ? { update: stepCommand(machine, "update") } : {}),
            ...(undo ? { delete: stepCommand(machine, "delete") } : {}),
            stdin: withPassword(machine, secret ? pulumi.secret(text) : text),
            ...(triggers.length > 0 ? { triggers: [...triggers] } : {}),
            addPreviousOutputInEnv: false,
            logging: secret ? remote.Logging.None : remote.Logging.Stderr,
        },
        {
            parent,
            deleteBeforeReplace: true,
            dependsOn: inTurn(dependsOn, args.turn),
            ...(args.secretOutput === true ? { additionalSecretOutputs: ["stdout"] } : {}),
            ...(machine.vm ? { deletedWith: machine.vm } : {}),
        },
    );
}

/** What a resource depends on that has its turn in a rollout. */
export function inTurn(dependsOn: readonly pulumi.Resource[], turn?: Turn): pulumi.Input<pulumi.Resource[]> {
    return turn === undefined ? [...dependsOn] : turn.then((more) => [...dependsOn, ...more]);
}

/** Both of two turns. */
export async function both(one: Turn, other: Turn): Turn {
    return [...(await one), ...(await other)];
}

/** The command line that runs a step whose script comes on its standard input. The login's own shell does that where it can. */
export function stepCommand(
    machine: {
        readonly user: string;
        readonly sudoPassword?: unknown;
        readonly loginShell?: Machine["loginShell"] | undefined;
    },
    operation: "create" | "update" | "delete",
): string {
    return machine.loginShell === "bash"
        ? `IFS= read -rd '' script; set -- ${operation}; eval "$script"`
        : commandAsRoot(machine, `bash -s -- ${operation}`);
}

/**
 * The statement that ends the script, with all that it has started, when its time is over. What waits for that reads from a pipe that
 * the script alone writes to, and so ends with it.
 */
function endsWithin(seconds: number): string {
    return `exec 7> >(read -rt ${seconds} || [ $? -eq 1 ] || kill 0)`;
}

/** The text with what sudo asks for before it; secret then. */
function withPassword(
    { user, sudoPassword }: Pick<Machine, "user" | "sudoPassword">,
    text: pulumi.Output<string>,
): pulumi.Output<string> {
    if (sudoPassword === undefined || user === "root") {
        return text;
    }
    return pulumi.secret(
        pulumi.all([sudoPassword, text]).apply(([password, own]) => inputAsRoot({ user, sudoPassword: password }, own)),
    );
}
