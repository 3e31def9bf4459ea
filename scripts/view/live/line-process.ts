import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endingWithParent } from "../../support/ends-with-parent";

/** A command that runs until it is stopped. It ends with this process. */
export interface LineProcess {
    readonly stop: () => void;
    /** When it has ended: its last words on standard error, or its exit code. Never rejected. */
    readonly ended: Promise<string>;
}

/** Starts a command, and calls `onLine` with each line that it prints. */
export function startLineProcess(
    command: readonly string[],
    options: { readonly cwd: string; readonly input?: string; readonly onLine: (line: string) => void },
): LineProcess {
    const [file, ...args] = endingWithParent(command);
    // A process group of its own: an interrupt of the terminal comes to this process, which stops the command.
    const child = spawn(file, args, { cwd: options.cwd, stdio: ["pipe", "pipe", "pipe"], detached: true });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-2000)));
    createInterface({ input: child.stdout }).on("line", options.onLine);
    // Who ends without having read its input says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const ended = new Promise<string>((resolve) => {
        child.on("error", (error) => resolve(error.message));
        child.on("close", (code, signal) =>
            resolve(errors.trim().split("\n").at(-1) || `ended with ${signal ?? `exit code ${code}`}`),
        );
    });
    return { stop: () => void child.kill("SIGTERM"), ended };
}
