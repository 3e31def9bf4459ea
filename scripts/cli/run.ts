import { spawn } from "node:child_process";

export interface Result {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a command without a shell and gives back what it printed, whatever its exit code. */
export function run(
    command: readonly string[],
    options: { readonly input?: string; readonly timeoutSeconds?: number; readonly cwd?: string } = {},
): Promise<Result> {
    const [file, ...args] = command;
    if (file === undefined) {
        throw new Error("no command");
    }
    return new Promise((resolve, reject) => {
        const child = spawn(file, args, {
            stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
            ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
            ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000 }),
        });
        let stdout = "";
        let stderr = "";
        child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        child.on("error", reject);
        // Who ends without having read its input says why by its exit code.
        child.stdin?.on("error", () => undefined);
        child.on("close", (code, signal) => {
            resolve({ code: code ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}\nended by ${signal}` });
        });
        child.stdin?.end(options.input);
    });
}

/** Runs a command with the terminal as its own and gives back its exit code. */
export function runInTerminal(command: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
    const [file, ...args] = command;
    if (file === undefined) {
        throw new Error("no command");
    }
    return new Promise((resolve, reject) => {
        const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, ...environment } });
        child.on("error", reject);
        child.on("close", (code) => {
            resolve(code ?? 1);
        });
    });
}
