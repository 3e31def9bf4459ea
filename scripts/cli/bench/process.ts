import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { UserError } from "../../support/errors";

/** Thrown to the caller that waits for an interrupted measurement. */
export class Interrupted extends UserError {
    constructor() {
        super("interrupted: what was brought up for the measurement is taken down");
    }
}

export interface Timed {
    /** Wall clock, from the start of the process to its end. */
    readonly seconds: number;
    readonly stdout: string;
}

export interface TimedOptions {
    /** Interrupts the process as Ctrl-C would; it may still end in order. */
    readonly signal?: AbortSignal | undefined;
    readonly environment?: NodeJS.ProcessEnv;
    readonly input?: string;
    /** A file in place of `input`. */
    readonly inputFile?: string;
}

/**
 * Runs a command to its end.
 *
 * @throws UserError with its last lines when it fails; Interrupted when it was.
 */
export function timed(command: readonly string[], options: TimedOptions = {}): Promise<Timed> {
    const { signal, environment, input = "", inputFile } = options;
    const [file = "", ...args] = command;
    if (signal?.aborted === true) {
        return Promise.reject(new Interrupted());
    }
    return new Promise((resolve, reject) => {
        const started = performance.now();
        // A group of its own: Ctrl-C at the terminal reaches it by the signal alone, and so once.
        const child = spawn(file, args, { detached: true, env: { ...process.env, ...environment } });
        const interrupt = (): void => void child.kill("SIGINT");
        signal?.addEventListener("abort", interrupt, { once: true });
        let stdout = "";
        let all = "";
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
            stdout += chunk;
            all += chunk;
        });
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => (all += chunk));
        child.stdin.on("error", () => undefined);
        if (inputFile === undefined) {
            child.stdin.end(input);
        } else {
            createReadStream(inputFile).pipe(child.stdin);
        }
        child.on("error", reject);
        child.on("close", (code) => {
            signal?.removeEventListener("abort", interrupt);
            if (signal?.aborted === true) {
                reject(new Interrupted());
            } else if (code === 0) {
                resolve({ seconds: (performance.now() - started) / 1000, stdout });
            } else {
                const last = all.trimEnd().split("\n").slice(-20).join("\n");
                reject(new UserError(`${command.join(" ").slice(0, 200)} ended with ${code ?? "a signal"}:\n${last}`));
            }
        });
    });
}
