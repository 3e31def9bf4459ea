import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Summary } from "../../scripts/engine/event";
import type { PhaseTime } from "../../scripts/cli/phases";
import type { StackOutputs } from "../../scripts/cli/stack";
import { hypervisor, prefersQemu } from "../../scripts/machines/choose-driver";
import { endingWithParent } from "../../scripts/support/ends-with-parent";
import { type Ran, Running } from "./running";
import { keepsForInspection, stopStory } from "./story";

export { story } from "./story";

const REPOSITORY = join(__dirname, "../..");
const LAB = join(REPOSITORY, "scripts/lab");

function environment(): NodeJS.ProcessEnv {
    return { ...process.env, KUBELAB_OFFLINE: "1" };
}

/** What an `up` does that finds nothing to do. */
export const NO_CHANGES = { created: 0, updated: 0, replaced: 0, deleted: 0 } as const;

/** A lab of the tests' own, worked on by `scripts/lab` as a person would, in a stack and a network that no other lab has. */
export class Lab {
    readonly stack: string;
    readonly directory: string;
    private readonly stackFile: string;
    private config: Readonly<Record<string, unknown>>;
    private readonly started: Running[] = [];

    /**
     * @param machines config of the machines; or just the IPv4 CIDR of local ones' network, unlike every other test's.
     * @param command what is run in place of scripts/lab.
     */
    constructor(
        name: string,
        machines: string | Readonly<Record<string, unknown>>,
        private readonly command: readonly string[] = [LAB],
    ) {
        this.stack = `test-${name}`;
        this.directory = join(REPOSITORY, ".kubelab", this.stack);
        this.stackFile = join(REPOSITORY, `Pulumi.${this.stack}.yaml`);
        this.config = typeof machines === "string" ? { local: { network: machines } } : machines;
        if (existsSync(this.stackFile)) {
            // Of a run that was cut off, or kept for inspection.
            this.forget();
        }
        this.configure({});
    }

    /** Changes keys of the stack's config file; `undefined` takes a key out. */
    configure(changes: Readonly<Record<string, unknown>>): void {
        this.config = { ...this.config, ...changes };
        const lines = Object.entries({ ...this.config, ...containers(this.config["local"]) })
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => `    kubelab:${key}: ${JSON.stringify(value)}\n`);
        writeFileSync(this.stackFile, `config:\n${lines.join("")}`);
    }

    /** Runs `scripts/lab <command> --stack <this one> …`, without internet as far as images go. */
    run(command: string, args: readonly string[] = [], timeoutSeconds = 600, variables: NodeJS.ProcessEnv = {}): Ran {
        const [program, ...words] = endingWithParent([...this.command, command, "--stack", this.stack, ...args]);
        const result = spawnSync(program, words, {
            cwd: REPOSITORY,
            encoding: "utf8",
            timeout: timeoutSeconds * 1000,
            maxBuffer: 64 << 20,
            env: { ...environment(), ...variables },
        });
        return { code: result.status ?? 1, stdout: result.stdout, stderr: result.stderr };
    }

    /** As `run`, but goes on while it runs. */
    start(command: string, args: readonly string[] = [], input: { readonly keyboard?: boolean } = {}): Running {
        const whole = [...this.command, command, "--stack", this.stack, ...args];
        const started = new Running(whole, { cwd: REPOSITORY, env: environment() }, input);
        this.started.push(started);
        return started;
    }

    /** As `run`, but fails the test with everything that was printed when the command fails. */
    succeed(command: string, args: readonly string[] = [], timeoutSeconds = 600): string {
        const { code, stdout, stderr } = this.run(command, args, timeoutSeconds);
        if (code !== 0) {
            if (command === "up") {
                stopStory();
            }
            throw new Error(`scripts/lab ${command} ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
        }
        return stdout;
    }

    /** As `succeed`, with variables in the environment beside the others. */
    succeedWith(variables: NodeJS.ProcessEnv, command: string): string {
        const { code, stdout, stderr } = this.run(command, [], 600, variables);
        if (code !== 0) {
            throw new Error(`scripts/lab ${command} ended with ${code}:\n${stdout}\n${stderr}`);
        }
        return stdout;
    }

    /** `up` after these changes of the stack's config. */
    up(changes: Readonly<Record<string, unknown>> = {}): Summary & { readonly phases: readonly PhaseTime[] } {
        this.configure(changes);
        const lines = this.succeed("up", ["--json"]).trim().split("\n");
        return JSON.parse(lines.at(-1) ?? "") as Summary & { phases: PhaseTime[] };
    }

    /** What an `up` did to resources, counted. */
    upChanges(): Pick<Summary, "created" | "updated" | "replaced" | "deleted"> {
        const { created, updated, replaced, deleted } = this.up();
        return { created, updated, replaced, deleted };
    }

    down(): Summary {
        const lines = this.succeed("down", ["--json"]).trim().split("\n");
        return JSON.parse(lines.at(-1) ?? "") as Summary;
    }

    /** Where the engine keeps what it has made. */
    get stateFile(): string {
        return join(REPOSITORY, ".kubelab/pulumi/.pulumi/stacks/kubelab", `${this.stack}.json`);
    }

    /** Operations that a run which was cut short left in the state. */
    pendingOperations(): unknown[] {
        const { checkpoint } = JSON.parse(readFileSync(this.stateFile, "utf8")) as {
            readonly checkpoint: { readonly latest?: { readonly pending_operations?: unknown[] } };
        };
        return checkpoint.latest?.pending_operations ?? [];
    }

    /** Locks that runs hold, or left, on the stack. */
    locks(): string[] {
        const directory = join(REPOSITORY, ".kubelab/pulumi/.pulumi/locks/organization/kubelab", this.stack);
        return existsSync(directory) ? readdirSync(directory) : [];
    }

    kubectl(...args: string[]): string {
        return this.succeed("kubectl", args, 240);
    }

    /** A command line on a machine. */
    ssh(node: string, commandLine: string): string {
        return this.succeed("ssh", [node, "--", commandLine], 60);
    }

    outputs(): StackOutputs {
        return JSON.parse(readFileSync(join(this.directory, "outputs.json"), "utf8")) as StackOutputs;
    }

    /** Takes the lab down, whatever state it is in, and forgets it; unless it is kept for inspection. */
    remove(): void {
        // What a failed test has left.
        this.started.filter(({ isOver }) => !isOver).forEach((run) => run.endAll());
        if (keepsForInspection()) {
            const option = `--stack ${this.stack}`;
            console.log(`kept after a failure: scripts/lab status ${option}; when done: scripts/lab down ${option}`);
        } else {
            this.forget();
        }
    }

    private forget(): void {
        this.run("down");
        this.run("pulumi", ["stack", "rm", "--yes", "--force"]);
        rmSync(this.stackFile, { force: true });
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/** Where machines would be virtual ones by themselves, they are containers in tests that don't ask for the others. */
function containers(local: unknown): { readonly local?: object } {
    return typeof local === "object" && prefersQemu(hypervisor()) ? { local: { driver: "nspawn", ...local } } : {};
}

/** Tries ten times a second until `attempt` doesn't throw. @throws its last error after `seconds`. */
export async function eventually<T>(seconds: number, attempt: () => T): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        try {
            return attempt();
        } catch (error) {
            if (Date.now() > deadline) {
                throw error;
            }
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
}
