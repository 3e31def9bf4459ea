import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { endingWithParent } from "../../scripts/support/ends-with-parent";

/** How a command ended. */
export interface Ran {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** A command that runs while the test goes on, to be cut short. */
export class Running {
    /** How it ended; null instead of a code when a signal ended it. */
    readonly ended: Promise<Omit<Ran, "code"> & { readonly code: number | null }>;
    private readonly child: ChildProcess;
    private readonly output = { stdout: "", stderr: "" };
    private hasEnded = false;

    /** @param keyboard whether somebody may type; else there is nothing to read. */
    constructor(
        command: readonly string[],
        options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
        { keyboard = false }: { readonly keyboard?: boolean } = {},
    ) {
        const [file, ...args] = endingWithParent(command);
        const input = keyboard ? "pipe" : "ignore";
        this.child = spawn(file, args, { ...options, detached: true, stdio: [input, "pipe", "pipe"] });
        for (const stream of ["stdout", "stderr"] as const) {
            this.child[stream]?.setEncoding("utf8").on("data", (chunk: string) => (this.output[stream] += chunk));
        }
        this.ended = new Promise((resolve, reject) => {
            this.child.on("error", reject);
            // Not "close": a helper that outlives it keeps the pipes open.
            this.child.on("exit", (code) => {
                this.hasEnded = true;
                setTimeout(() => resolve({ code, ...this.output }), 50);
            });
        });
    }

    get isOver(): boolean {
        return this.hasEnded;
    }

    get pid(): number {
        return this.child.pid ?? 0;
    }

    /** What it has said so far, but for errors. */
    get printed(): string {
        return this.output.stdout;
    }

    type(text: string): void {
        this.child.stdin?.write(text);
    }

    /** Resources that it has said to be done, as far as it has come. Components have no work of their own and aren't counted. */
    get done(): number {
        return this.output.stdout.match(DONE)?.length ?? 0;
    }

    /** Waits until `condition` holds. @returns whether it did before the command ended. */
    async until(condition: () => boolean): Promise<boolean> {
        while (!condition()) {
            if (this.hasEnded) {
                return false;
            }
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return true;
    }

    /** Waits for its end. @throws with all that it has said, where that isn't success. */
    async success(): Promise<void> {
        const { code, stdout, stderr } = await this.ended;
        if (code !== 0) {
            throw new Error(`it ended with ${code}:\n${stdout}\n${stderr}`);
        }
    }

    /** Kills the command alone, as the kernel does when memory runs out; what it started lives on. */
    async killAlone(): Promise<void> {
        process.kill(this.pid, "SIGKILL");
        await this.ended;
    }

    /** Kills the command with all that it started on this host, as a host's end does. */
    async killWhole(): Promise<void> {
        this.endAll();
        await this.ended;
    }

    /** As `killWhole`, without waiting for the end. */
    endAll(): void {
        descendants(this.pid).forEach((pid) => {
            try {
                process.kill(pid, "SIGKILL");
            } catch {
                // It ended by itself meanwhile.
            }
        });
    }

    /** Holds the command, with what is in its process group. */
    pause(): void {
        process.kill(-this.pid, "SIGSTOP");
    }

    /** Lets a held command go on. */
    goOn(): void {
        process.kill(-this.pid, "SIGCONT");
    }

    /** Ctrl-C at the terminal: every process of its group is interrupted. */
    interrupt(): void {
        process.kill(-this.pid, "SIGINT");
    }
}

/** A line of progress, as `scripts/cli/progress.ts` writes it: sign, name, type. */
const DONE = /^. \S+ (?!kubelab:|pulumi:)\S+ (created|updated|replaced|deleted) in [\d.]+s/gm;

/** A process and all that it started. */
export function descendants(pid: number): number[] {
    const children = readTasks(pid).flatMap((file) => readFileSync(file, "utf8").trim().split(" ").filter(Boolean));
    return [pid, ...children.flatMap((child) => descendants(Number(child)))];
}

function readTasks(pid: number): string[] {
    try {
        return readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/children`);
    } catch {
        return [];
    }
}
