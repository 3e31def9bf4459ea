import { readProject, type Config } from "../offline-engine/config";
import { UserError } from "../support/errors";
import { engineOfStack } from "./engine-of-stack";

/** What a run did with its resources, and how long it took. */
export interface Summary {
    readonly created: number;
    readonly updated: number;
    readonly replaced: number;
    readonly deleted: number;
    readonly same: number;
    /** Seconds from start to end. */
    readonly seconds: number;
}

export type Operation = "create" | "update" | "replace" | "delete" | "same";

/** One thing that happened to one resource. */
export interface EngineEvent {
    /** `skipped`: a deletion that wasn't run, because what holds the resource goes too, or it is to be kept. */
    readonly kind: "start" | "done" | "failed" | "skipped" | "log";
    readonly operation: Operation;
    readonly urn: string;
    readonly name: string;
    readonly type: string;
    /** Seconds since the operation started; 0 in a `start`. */
    readonly seconds: number;
    /** Inputs that differ from the last run's. */
    readonly diffKeys?: readonly string[];
    /** The error of a `failed`, the line of a `log`, the reason of a `skipped`. */
    readonly message?: string;
}

/** What a run says in the end that was stopped at the keyboard. */
export const INTERRUPTED =
    "interrupted: what was running has ended, the rest wasn't begun. The next `up` or `down` goes on.";

/** What runs the Pulumi program of this repository: the Pulumi CLI, or the offline engine where the CLI can't be had. */
export interface Engine {
    /** For people: `Pulumi CLI v3.248.0`, `offline engine`. */
    readonly name: string;
    /** What `up` would do; changes nothing. */
    preview(): Promise<Summary>;
    /** Makes what the program describes. A second one without changes does nothing. Throws with the resource that failed. */
    up(): Promise<Summary>;
    /** Deletes everything the stack has, dependents first. */
    destroy(): Promise<Summary>;
    /** The stack's outputs as of the last `up`; secret ones are `[secret]` unless asked for. */
    outputs(options: { readonly showSecrets: boolean }): Promise<Record<string, unknown>>;
    /** Whether the stack has resources. */
    exists(): Promise<boolean>;
}

export type EngineKind = "pulumi" | "offline";

export interface EngineOptions {
    /** Name of the stack; its config is in `Pulumi.<stack>.yaml`. */
    readonly stack: string;
    /** Root of this repository, where Pulumi.yaml is. */
    readonly repository: string;
    /** Config that wins over the stack file's, e.g. `{"kubelab:workers": "3"}`; JSON for lists and objects. */
    readonly configOverrides: Config;
    readonly report: (event: EngineEvent) => void;
}

/**
 * The engine for a stack: the one that brought it up; for a new one the Pulumi CLI where it works with the Node language host
 * beside it, else the offline engine. The choice can be forced by `force` or by `KUBELAB_ENGINE=pulumi|offline`.
 *
 * @throws UserError when the Pulumi CLI is needed and can't be used, with what is missing, or when the choice is forced and
 *   the other engine has the stack.
 */
export async function chooseEngine(options: EngineOptions & { readonly force?: EngineKind }): Promise<Engine> {
    const { repository, stack } = options;
    const forced = options.force ?? engineFromEnvironment();
    const owner = engineOfStack(repository, readProject(repository).name, stack);
    if (forced !== undefined && owner !== undefined && forced !== owner) {
        throw new UserError(
            `The stack "${stack}" was brought up by ${NAMES[owner]}, and ${NAMES[forced]} knows nothing of it. ` +
                `Take it down first: KUBELAB_ENGINE=${owner} scripts/lab down --stack ${stack}`,
        );
    }
    const wanted = forced ?? owner;
    if (wanted !== "offline") {
        const { findPulumi, PulumiEngine } = await import("./pulumi-engine");
        const found = await findPulumi(repository);
        if (found.usable) {
            return new PulumiEngine(options, found);
        }
        if (wanted === "pulumi") {
            const why = forced ? "was asked for" : `brought the stack "${stack}" up and is needed again`;
            throw new UserError(`The Pulumi CLI ${why}, but ${found.problem}`);
        }
    }
    const { OfflineEngine } = await import("../offline-engine/engine");
    return new OfflineEngine(options);
}

const NAMES: Readonly<Record<EngineKind, string>> = { pulumi: "the Pulumi CLI", offline: "the offline engine" };

function engineFromEnvironment(): EngineKind | undefined {
    const value = process.env["KUBELAB_ENGINE"];
    if (value === undefined || value === "") {
        return undefined;
    }
    if (value === "pulumi" || value === "offline") {
        return value;
    }
    throw new UserError(`KUBELAB_ENGINE is "${value}"; it can be "pulumi" or "offline", or unset.`);
}
