import { spawn } from "node:child_process";
import { commandType, OutputCollector, whyCut, type CommandInputs, type Runner } from "./command";

interface LocalInputs extends CommandInputs {
    readonly interpreter?: readonly string[];
    readonly dir?: string;
    readonly assetPaths?: readonly string[];
    readonly archivePaths?: readonly string[];
}

/** Runs a command on this machine, in a process group of its own: an interrupt at the terminal doesn't reach it. */
const run: Runner = (command, properties, environment, { signal, log }) => {
    const { interpreter, dir, stdin, logging, assetPaths, archivePaths } = properties as unknown as LocalInputs;
    if (assetPaths ?? archivePaths) {
        throw new Error("this command provider has no assetPaths and archivePaths");
    }
    const [program = "/bin/sh", ...args] = interpreter?.length ? interpreter : ["/bin/sh", "-c"];
    const output = new OutputCollector(logging, log);
    return new Promise((resolve, reject) => {
        const child = spawn(program, [...args, command], {
            cwd: dir,
            env: { ...process.env, ...environment },
            detached: true,
            stdio: [stdin ? "pipe" : "ignore", "pipe", "pipe"],
        });
        const kill = (): void => {
            if (child.pid !== undefined) {
                process.kill(-child.pid, "SIGKILL");
            }
        };
        signal.addEventListener("abort", kill, { once: true });
        for (const stream of ["stdout", "stderr"] as const) {
            child[stream]?.setEncoding("utf8").on("data", (chunk: string) => output.add(stream, chunk));
        }
        // A command that doesn't read all of its input isn't wrong.
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(stdin);
        child.on("error", (error) => {
            signal.removeEventListener("abort", kill);
            reject(output.failure(error.message, command));
        });
        child.on("close", (code, killedBy) => {
            signal.removeEventListener("abort", kill);
            if (code === 0) {
                resolve(output.result());
                return;
            }
            const why = signal.aborted ? ` (${whyCut(signal)})` : "";
            const how = code === null ? `ended by signal ${killedBy}${why}` : `exit status ${code}`;
            reject(output.failure(how, command));
        });
    });
};

/** `command:local:Command` */
export const localCommand = commandType(run);
