import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endingWithParent } from "../../support/ends-with-parent";
import { UserError } from "../../support/errors";

export interface RunOptions {
    readonly cwd?: string;
    readonly environment?: Readonly<Record<string, string>>;
    /** Gets every line of stderr. */
    readonly onLine?: (line: string) => void;
}

const KEPT_LINES = 15;

/**
 * Runs a program and returns its stdout. It ends with this process.
 *
 * @throws UserError with the last lines of its stderr where it doesn't end with 0: no network, no room, a missing header.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
        const [file, ...words] = endingWithParent([program, ...args]);
        const child = spawn(file, words, {
            ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
            env: { ...process.env, ...options.environment },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const output: Buffer[] = [];
        const lastLines: string[] = [];
        child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
        createInterface({ input: child.stderr }).on("line", (line) => {
            options.onLine?.(line);
            lastLines.push(line);
            lastLines.splice(0, Math.max(0, lastLines.length - KEPT_LINES));
        });
        child.on("error", (error) => reject(new UserError(`${program} can't be run: ${error.message}`)));
        child.on("close", (code, signal) => {
            if (code === 0) {
                resolve(Buffer.concat(output).toString("utf8"));
            } else {
                const command = [program, ...args].join(" ");
                const shown = command.length > 200 ? `${command.slice(0, 200)}…` : command;
                const text = lastLines.map((line) => `    ${line}`).join("\n");
                reject(new UserError(`${shown}\nended with ${signal ?? `status ${code}`}. Its last lines:\n${text}`));
            }
        });
    });
}
