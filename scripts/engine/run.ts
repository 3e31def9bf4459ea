import { spawn } from "node:child_process";
import { endingWithParent } from "../support/ends-with-parent";

/** Seconds until running operations are ended, after SIGTERM or SIGHUP. */
const GRACE = 10;

/** Seconds until the CLI is killed, after running operations were told to end. */
const LAST = 20;

export interface RanPulumi {
    readonly code: number;
    /** A person or a process asked for its end. */
    readonly interrupted: boolean;
    readonly stdout: string;
    readonly stderr: string;
}

export interface RunOptions {
    readonly cwd: string;
    readonly environment: NodeJS.ProcessEnv;
    /** Connects the CLI to this process's standard streams. */
    readonly inherit?: boolean;
    /** Prints what an interrupt does. */
    readonly note: (line: string) => void;
    /** Ends the operations that run in this process. */
    readonly endRunning: () => void;
    /** Packages whose plugins are processes of the CLI: it ends their operations itself. */
    readonly hasPlugins: boolean;
}

/**
 * Runs the CLI in a process group of its own, so that an interrupt at the terminal reaches it by the forwarding here only: the first
 * has it begin nothing more, the second ends what runs. It ends with
 * this process, however that ends.
 */
export async function runPulumi(path: string, args: readonly string[], options: RunOptions): Promise<RanPulumi> {
    const { cwd, environment, inherit = false } = options;
    const [file, ...words] = endingWithParent([path, ...args], "KILL");
    const stream = inherit ? "inherit" : "pipe";
    const child = spawn(file, words, {
        cwd,
        env: { ...process.env, ...environment },
        detached: !inherit,
        stdio: [inherit ? "inherit" : "ignore", stream, stream],
    });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
        child[name]?.setEncoding("utf8").on("data", (chunk: string) => (output[name] += chunk));
    }
    const stop = stopSignals((signal) => child.kill(signal), options);
    try {
        const code = await new Promise<number>((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (status) => resolve(status ?? 1));
        });
        return { code, interrupted: stop.interrupted(), ...output };
    } finally {
        stop.release();
    }
}

/** Forwards interrupts until it is released. */
function stopSignals(
    kill: (signal: NodeJS.Signals) => void,
    { note, endRunning, hasPlugins, inherit = false }: RunOptions,
): { readonly interrupted: () => boolean; readonly release: () => void } {
    let count = 0;
    let grace: NodeJS.Timeout | undefined;
    let last: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
        count += 1;
        if (count === 1) {
            note("stopping: running operations may finish, nothing new starts. Ctrl-C again ends them.");
            // In the foreground the terminal's interrupt has reached the CLI already.
            if (!inherit) {
                kill("SIGINT");
            }
            return;
        }
        note("ending running operations");
        endRunning();
        last ??= setTimeout(() => kill("SIGKILL"), LAST * 1000);
        if (hasPlugins && !inherit) {
            kill("SIGINT");
        }
    };
    const terminate = (): void => {
        if (count === 0) {
            count = 1;
            note(`asked to end: nothing new starts, running operations have ${GRACE} s to finish`);
            kill("SIGINT");
        }
        grace ??= setTimeout(interrupt, GRACE * 1000);
    };
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", terminate);
    process.on("SIGHUP", terminate);
    return {
        interrupted: () => count > 0,
        release: () => {
            clearTimeout(grace);
            clearTimeout(last);
            process.off("SIGINT", interrupt);
            process.off("SIGTERM", terminate);
            process.off("SIGHUP", terminate);
        },
    };
}
