import { spawnSync } from "node:child_process";
import { type Ran, Running } from "./running";

/** A kubectl of some version, in a namespace of its own. */
export class Kubectl {
    private readonly started: Running[] = [];

    constructor(
        readonly program: string,
        readonly kubeconfig: string,
        readonly namespace: string,
    ) {}

    /** Runs it, however it ends. */
    try(...args: readonly string[]): Ran {
        const options = { encoding: "utf8", timeout: 180_000, maxBuffer: 16 << 20 } as const;
        const { status, stdout, stderr } = spawnSync(this.program, this.withOptions(args), options);
        return { code: status ?? 1, stdout, stderr };
    }

    /** As `try`, but fails with all that it said. @returns what it printed, without the last line's end. */
    run(...args: readonly string[]): string {
        const { code, stdout, stderr } = this.try(...args);
        if (code !== 0) {
            throw new Error(`kubectl ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
        }
        return stdout.trimEnd();
    }

    /** Runs it while the test goes on. */
    start(...args: readonly string[]): Running {
        const running = new Running([this.program, ...this.withOptions(args)], { cwd: "/", env: process.env });
        this.started.push(running);
        return running;
    }

    /** Ends what `start` has started. */
    endAll(): void {
        this.started.filter(({ isOver }) => !isOver).forEach((running) => running.endAll());
    }

    private withOptions(args: readonly string[]): string[] {
        return ["--kubeconfig", this.kubeconfig, "--namespace", this.namespace, ...args];
    }
}
