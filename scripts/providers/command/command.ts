import { randomBytes } from "node:crypto";
import type { Diff, Existing, Subject } from "../provider";
import { changedKeys, type Properties } from "../value";

/** Inputs that local and remote commands share; https://www.pulumi.com/registry/packages/command/api-docs/ */
export interface CommandInputs {
    readonly create?: string;
    readonly update?: string;
    readonly delete?: string;
    readonly stdin?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly logging?: "stdout" | "stderr" | "stdoutAndStderr" | "none";
    readonly addPreviousOutputInEnv?: boolean;
}

/** What an ended command left: its output, and how it ended. */
export interface CommandResult {
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs `command` for a resource with the given inputs. */
export type Runner = (
    command: string,
    inputs: Properties,
    environment: Readonly<Record<string, string>>,
    subject: Subject,
) => Promise<CommandResult>;

const LAST_LINES = 40;

/** The operations of local or of remote commands. */
export interface CommandType {
    diff(existing: Existing, inputs: Properties): Diff;
    create(subject: Subject, inputs: Properties): Promise<{ readonly id: string; readonly outputs: Properties }>;
    update(subject: Subject, existing: Existing, inputs: Properties): Promise<Properties>;
    delete(subject: Subject, existing: Existing): Promise<void>;
}

/**
 * A type of commands with the semantics of pulumi-command 1.2.1, whatever runs them: an update without an `update` command
 * runs `create` again; a deletion gets the inputs of the last run; changed triggers replace; the last output goes into the
 * environment unless `addPreviousOutputInEnv` is false.
 */
export function commandType(run: Runner): CommandType {
    const perform = async (
        command: string | undefined,
        inputs: Properties,
        previous: Partial<CommandResult>,
        subject: Subject,
    ): Promise<CommandResult> => {
        if (command === undefined) {
            return { stdout: previous.stdout ?? "", stderr: previous.stderr ?? "" };
        }
        if (subject.signal.aborted) {
            throw new Error(`not begun: ${whyCut(subject.signal)}`);
        }
        const { environment = {}, addPreviousOutputInEnv = true } = inputs as unknown as CommandInputs;
        const outputs = addPreviousOutputInEnv
            ? {
                  ...(previous.stdout ? { PULUMI_COMMAND_STDOUT: previous.stdout } : {}),
                  ...(previous.stderr ? { PULUMI_COMMAND_STDERR: previous.stderr } : {}),
              }
            : {};
        const { stdout, stderr } = await run(command, inputs, { ...environment, ...outputs }, subject);
        return { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
    };
    return {
        diff: ({ inputs: before }, inputs) => {
            const changed = changedKeys(before, inputs);
            return { changed, replace: changed.filter((key) => key === "triggers") };
        },
        create: async (subject, inputs) => {
            const { create } = inputs as unknown as CommandInputs;
            const result = await perform(create, inputs, {}, subject);
            return { id: `${subject.name}${randomBytes(4).toString("hex")}`, outputs: { ...inputs, ...result } };
        },
        update: async (subject, existing, inputs) => {
            const { create, update } = inputs as unknown as CommandInputs;
            return { ...inputs, ...(await perform(update ?? create, inputs, previousOf(existing), subject)) };
        },
        delete: async (subject, existing) => {
            const { delete: command } = existing.inputs as unknown as CommandInputs;
            await perform(command, existing.inputs, previousOf(existing), subject);
        },
    };
}

/** Gathers a command's output, and logs its lines as far as the resource's `logging` lets it. */
export class OutputCollector {
    private readonly text = { stdout: "", stderr: "" };
    private readonly partial = { stdout: "", stderr: "" };
    private both = "";

    constructor(
        private readonly logging: CommandInputs["logging"],
        private readonly log: (line: string) => void,
    ) {}

    add(stream: "stdout" | "stderr", chunk: string): void {
        this.text[stream] += chunk;
        this.both += chunk;
        const logging = this.logging ?? "stdoutAndStderr";
        if (logging === stream || logging === "stdoutAndStderr") {
            const lines = (this.partial[stream] + chunk).split("\n");
            this.partial[stream] = lines.pop() ?? "";
            lines.forEach((line) => this.log(line));
        }
    }

    result(): CommandResult {
        for (const stream of ["stdout", "stderr"] as const) {
            if (this.partial[stream] !== "") {
                this.log(this.partial[stream]);
            }
        }
        return { ...this.text };
    }

    /** What happened, the command, and its last lines; never its standard input. */
    failure(what: string, command: string): Error {
        const lines = this.both.trimEnd().split("\n");
        const shown =
            this.logging === "none"
                ? "(its output isn't shown: it may hold secrets)"
                : lines.slice(-LAST_LINES).join("\n");
        return new Error(`${what}: running ${JSON.stringify(command)}:\n${shown}`);
    }
}

/** Why an operation that was cut short was, for its error. */
export function whyCut(signal: AbortSignal): string {
    const { name } = signal.reason as Error;
    return name === "TimeoutError" ? "it timed out" : "it was ended by an interrupt";
}

function previousOf(existing: Existing): Partial<CommandResult> {
    return existing.outputs;
}
