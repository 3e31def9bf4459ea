import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Display } from "../support/display";
import { endingWithParent } from "../support/ends-with-parent";

export interface Result {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a command without a shell and returns its output and exit code. It ends with this process. */
export function run(
    command: readonly string[],
    options: {
        /** A text; or pieces of it, of which a stream is read while the command takes it. */
        readonly input?: string | readonly (string | Readable)[];
        readonly timeoutSeconds?: number;
        readonly cwd?: string;
        /** Gets what it prints, as it comes. */
        readonly onOutput?: (text: string) => void;
        /** Instead of this process's. */
        readonly environment?: NodeJS.ProcessEnv;
    } = {},
): Promise<Result> {
    const [file, ...args] = endingWithParent(command);
    return new Promise((resolve, reject) => {
        const child = spawn(file, args, {
            stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
            ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
            ...(options.environment === undefined ? {} : { env: options.environment }),
            ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
        });
        let stdout = "";
        let stderr = "";
        child.stdout?.on("data", (chunk: Buffer) => {
            stdout += chunk.toString();
            options.onOutput?.(chunk.toString());
        });
        child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        child.on("error", reject);
        // Who ends without having read its input says why by its exit code.
        child.stdin?.on("error", () => undefined);
        child.on("close", (code, signal) => {
            resolve({ code: code ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` });
        });
        if (typeof options.input === "object" && child.stdin !== null) {
            // Whoever ends without having read all of it says why by its exit code.
            pipeline(inTurn(options.input), child.stdin).catch(() => undefined);
        } else {
            child.stdin?.end(options.input);
        }
    });
}

async function* inTurn(pieces: readonly (string | Readable)[]): AsyncGenerator<string | Buffer> {
    for (const piece of pieces) {
        if (typeof piece === "string") {
            yield piece;
        } else {
            yield* piece as AsyncIterable<Buffer>;
        }
    }
}

/** Runs a command, with each line that it prints; its exit code as `runInTerminal` gives it. */
export function runLineByLine(command: readonly string[], onLine: (line: string) => void): Promise<number> {
    const [file, ...args] = endingWithParent(command);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on("line", onLine);
    }
    return ended(child);
}

/**
 * Runs a command with the terminal as its own and gives back its exit code, or 128 and the number of the signal that ended it. Signals to
 * this process are the command's, and it ends with this process, however that ends.
 */
export async function runInTerminal(
    command: readonly string[],
    options: { readonly cwd?: string; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<number> {
    const { cwd, environment = {} } = options;
    const [file, ...args] = endingWithParent(command);
    return ended(spawn(file, args, { stdio: "inherit", cwd, env: { ...process.env, ...environment } }));
}

/**
 * As `runInTerminal`, but the display has what the command prints, line by line, and stays below it.
 *
 * @param onMessage takes what a Node.js program tells by `process.send`.
 */
export async function runOnDisplay(
    command: readonly string[],
    display: Display,
    options: { readonly cwd: string; readonly onMessage?: (message: unknown) => void },
): Promise<number> {
    const [file, ...args] = endingWithParent(command);
    const colors = process.stdout.isTTY && process.env["NO_COLOR"] === undefined ? { FORCE_COLOR: "1" } : {};
    const child = spawn(file, args, {
        stdio: ["ignore", "pipe", "pipe", ...(options.onMessage ? (["ipc"] as const) : [])],
        cwd: options.cwd,
        env: { ...process.env, ...colors },
    });
    for (const input of [child.stdout, child.stderr]) {
        createInterface({ input: input as Readable }).on("line", (line) => display.line(line));
    }
    child.on("message", (message) => options.onMessage?.(message));
    return ended(child);
}

/** Waits for a command's end, with the signals that come until then handed on to it. */
async function ended(child: ChildProcess): Promise<number> {
    const handOn = (signal: NodeJS.Signals): void => void child.kill(signal);
    // The terminal's own interrupt reaches the command too.
    const interrupt = (): void => void (process.stdin.isTTY || child.kill("SIGINT"));
    process.on("SIGTERM", handOn).on("SIGHUP", handOn).on("SIGINT", interrupt);
    try {
        return await new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
        });
    } finally {
        process.off("SIGTERM", handOn).off("SIGHUP", handOn).off("SIGINT", interrupt);
    }
}
