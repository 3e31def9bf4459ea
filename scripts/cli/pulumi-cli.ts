import { execFile, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { openEventPipe } from "./pulumi-event-pipe";

const execute = promisify(execFile);

/** A Pulumi CLI that was looked for: where it is and its version, or why it can't be used. */
export type FoundPulumi =
    | { readonly usable: true; readonly path: string; readonly version: string }
    | { readonly usable: false; readonly problem: string };

/** Looks for `pulumi` on PATH and in node_modules/.bin, with the language host for Node beside it or on PATH. */
export async function findPulumi(repository: string): Promise<FoundPulumi> {
    const directories = [...pathDirectories(), join(repository, "node_modules/.bin")];
    const path = programIn(directories, "pulumi");
    if (path === undefined) {
        return { usable: false, problem: "there is no `pulumi` on PATH: https://www.pulumi.com/docs/install/" };
    }
    if (programIn([dirname(realpathSync(path)), ...directories], "pulumi-language-nodejs") === undefined) {
        return { usable: false, problem: `pulumi-language-nodejs is neither beside ${path} nor on PATH.` };
    }
    try {
        const { stdout } = await execute(path, ["version"], { env: quietEnvironment(), timeout: 30_000 });
        return { usable: true, path, version: stdout.trim() };
    } catch (error) {
        return { usable: false, problem: `\`${path} version\` failed: ${(error as Error).message}` };
    }
}

export interface RanPulumi {
    readonly code: number;
    /** Somebody asked for its end. */
    readonly interrupted: boolean;
    readonly stdout: string;
    readonly stderr: string;
}

/**
 * Runs the CLI in a process group of its own, so that an interrupt at the terminal reaches it once: by the forwarding here. Where
 * setpriv can be had, it ends with this process, however that ends: it wouldn't be known to anybody who then looks at the stack.
 *
 * @param onEvent gets the engine's events as they come; the run then logs them to a pipe in `pipeDirectory`, since they hold
 *   secrets that no file should.
 */
export async function runPulumi(
    path: string,
    args: readonly string[],
    options: {
        readonly cwd: string;
        readonly environment: NodeJS.ProcessEnv;
        readonly pipeDirectory?: string;
        readonly onEvent?: (event: unknown) => void;
    },
): Promise<RanPulumi> {
    const { cwd, environment, pipeDirectory, onEvent } = options;
    const pipe = pipeDirectory && onEvent ? await openEventPipe(pipeDirectory, onEvent) : undefined;
    const events = pipe ? ["--event-log", pipe.path] : [];
    const [file = path, ...words] = [...endingWithThis(), path, ...args, "--non-interactive", ...events];
    const child = spawn(file, words, {
        cwd,
        env: { ...quietEnvironment(), ...environment, ...(pipe ? { PULUMI_DEBUG_COMMANDS: "true" } : {}) },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
    });
    let interrupted = false;
    const forward = (): void => {
        interrupted = true;
        child.kill("SIGINT");
    };
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (chunk: string) => (output[stream] += chunk));
    }
    try {
        const code = await new Promise<number>((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (status) => resolve(status ?? 1));
        });
        return { code, interrupted, ...output };
    } finally {
        process.off("SIGINT", forward);
        process.off("SIGTERM", forward);
        await pipe?.close();
    }
}

/** What a command line begins with so that the kernel ends the command when this process has ended; prctl(2), PR_SET_PDEATHSIG. */
function endingWithThis(): string[] {
    const setpriv = programIn(pathDirectories(), "setpriv");
    return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"];
}

/** Where the CLI keeps stacks when the user has chosen a place: by PULUMI_BACKEND_URL or `pulumi login`. */
export function chosenBackend(): string | undefined {
    const fromEnvironment = process.env["PULUMI_BACKEND_URL"];
    if (fromEnvironment) {
        return fromEnvironment;
    }
    const file = join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "credentials.json");
    if (!existsSync(file)) {
        return undefined;
    }
    const { current } = JSON.parse(readFileSync(file, "utf8")) as { readonly current?: string };
    return current ? current : undefined;
}

function quietEnvironment(): NodeJS.ProcessEnv {
    return {
        ...process.env,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // Types are checked by the tests, not at every start.
        PULUMI_NODEJS_TRANSPILE_ONLY: process.env["PULUMI_NODEJS_TRANSPILE_ONLY"] ?? "true",
    };
}

function pathDirectories(): string[] {
    return (process.env["PATH"] ?? "").split(delimiter);
}

function programIn(directories: readonly string[], name: string): string | undefined {
    return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
    try {
        accessSync(path, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}
