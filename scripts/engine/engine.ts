import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../../components/steps/script";
import { UserError } from "../support/errors";
import type { PulumiCli } from "./cli";
import type { EngineEvent, Summary } from "./event";
import { PulumiEvents, serveEvents } from "./events";
import { withoutPendingOperations } from "./interrupted";
import { isLockedByTheDead } from "./lock";
import { serveMissingPackages } from "./packages";
import { absolutePaths } from "./path-options";
import { serveProgram } from "./program";
import { type Project, readProject } from "./project";
import { type RanPulumi, type RunOptions, runPulumi } from "./run";
import { StackFiles } from "./stack-files";

/** The last message of a run that was interrupted. */
const INTERRUPTED =
    "interrupted: running operations have ended, nothing new was started. The next `up` or `down` continues.";

/** Commands of the CLI that run the program, so that they need to be told where it is. */
const RUNS_PROGRAM = new Set(["up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "import"]);

export interface EngineOptions {
    /** Name of the stack; its config is in `Pulumi.<stack>.yaml`. */
    readonly stack: string;
    /** The project's directory, where Pulumi.yaml is. */
    readonly repository: string;
    /** Config that wins over the stack file's, e.g. `{"kubelab:workers": "3"}`; JSON for lists and objects. */
    readonly configOverrides: Readonly<Record<string, string>>;
    readonly report: (event: EngineEvent) => void;
    /** Takes a line for the terminal, apart from events. */
    readonly note: (line: string) => void;
}

/** A resource in the state; https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#ResourceV3 */
export interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** Drives the Pulumi CLI on one stack: the program and providers without a plugin run in this process. */
export class Engine {
    private readonly project: Project;
    private readonly files: StackFiles;

    constructor(
        private readonly options: EngineOptions,
        private readonly cli: PulumiCli,
    ) {
        const { repository, stack } = options;
        this.project = readProject(repository);
        this.files = new StackFiles(repository, this.project, stack);
    }

    /** Shows planned changes only. */
    preview(flags: readonly string[] = []): Promise<Summary> {
        return this.operate(["preview", ...flags]);
    }

    /** Makes what the program describes. @throws UserError with the resource that failed. */
    up(flags: readonly string[] = []): Promise<Summary> {
        return this.operate(["up", "--yes", "--skip-preview", ...flags]);
    }

    /** Deletes everything the stack has, dependents first. */
    destroy(): Promise<Summary> {
        return this.operate(["destroy", "--yes", "--skip-preview"]);
    }

    /** The stack's outputs as of the last `up`; secret ones are `[secret]` unless asked for. */
    async outputs({ showSecrets }: { readonly showSecrets: boolean }): Promise<Record<string, unknown>> {
        if (!(await this.hasStack())) {
            return {};
        }
        const secrets = showSecrets ? ["--show-secrets"] : [];
        const ran = await this.run(["stack", "output", "--json", "--stack", this.options.stack, ...secrets]);
        return JSON.parse(succeeded(ran, "pulumi stack output").stdout) as Record<string, unknown>;
    }

    /** What the state has of each resource; secret outputs are left as they are kept, encrypted. */
    async resources(): Promise<readonly StateResource[]> {
        if (!(await this.hasStack())) {
            return [];
        }
        const { deployment } = (await this.exportedState()) as {
            readonly deployment: { readonly resources?: readonly StateResource[] };
        };
        return deployment.resources ?? [];
    }

    /** What the stack's secrets are encrypted with; undefined where it is nowhere. */
    passphrase(): string | undefined {
        return this.files.passphrase();
    }

    /** The stack's state with its secrets encrypted; undefined where there is no such stack. */
    async state(): Promise<unknown> {
        return (await this.hasStack()) ? this.exportedState() : undefined;
    }

    /** Replaces the stack's state by one that `state` gave. */
    async replaceState(state: unknown): Promise<void> {
        this.files.prepare();
        await this.ensureStack();
        const file = join(this.files.directory, "state-to-import.json");
        writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
        try {
            const ran = await this.run(["stack", "import", "--force", "--stack", this.options.stack, "--file", file]);
            succeeded(ran, "pulumi stack import");
        } finally {
            rmSync(file);
        }
    }

    /** Runs any command of the CLI on the stack, in this terminal, and gives its exit code. */
    async pulumi(args: readonly string[]): Promise<number> {
        const { stack, repository } = this.options;
        this.files.prepare();
        this.refuseOldState();
        this.files.writeConfig(this.options.configOverrides);
        const [command = "", ...rest] = args;
        const runsProgram = RUNS_PROGRAM.has(command);
        const first = args.slice(0, 1);
        const own = runsProgram ? ["--config-file", this.files.configFile] : [];
        // Of the CLI's commands these know no stack.
        const stackless =
            /^(|version|help|about|whoami|login|logout|plugin|package|schema|gen-completion|new|-.*)$/.test(command);
        const flags = stackless || rest.includes("--stack") || rest.includes("-s") ? [] : ["--stack", stack];
        const given = absolutePaths(rest);
        const words = command === "stack" ? [...first, ...given, ...flags] : [...first, ...flags, ...own, ...given];
        const ran = await this.withServers(runsProgram, (servers) =>
            runPulumi(this.cli.path, [...words, ...servers.flags], {
                cwd: repository,
                environment: { ...this.environment(), ...servers.environment },
                inherit: true,
                ...servers.control,
                note: this.options.note,
            }),
        );
        return ran.code;
    }

    private async operate(command: readonly string[]): Promise<Summary> {
        const { stack, report } = this.options;
        this.files.prepare();
        this.refuseOldState();
        await this.ensureStack();
        if (this.files.backend && isLockedByTheDead(this.files.backend, this.project.name, stack)) {
            succeeded(await this.run(["cancel", "--yes", "--stack", stack]), "pulumi cancel");
            await this.resumeInterrupted();
        }
        this.files.writeConfig(this.options.configOverrides);
        const events = new PulumiEvents(report);
        const served = await serveEvents((event) => events.take(event));
        try {
            const own = ["--stack", stack, "--config-file", this.files.configFile, "--event-log", served.eventLog];
            const ran = await this.withServers(command[0] !== "destroy", (servers) =>
                runPulumi(this.cli.path, [...command, ...own, ...servers.flags, "--non-interactive"], {
                    cwd: this.options.repository,
                    environment: { ...this.environment(), ...servers.environment, PULUMI_DEBUG_COMMANDS: "true" },
                    ...servers.control,
                    note: this.options.note,
                }),
            );
            if (ran.code !== 0 && ran.interrupted) {
                throw new UserError(INTERRUPTED);
            }
            if (ran.code !== 0) {
                const failures = events.failures();
                throw new UserError(
                    failures.length > 0 ? failures.join("\n") : `${command[0]} failed:\n${lastLines(ran)}`,
                );
            }
            return events.summary();
        } finally {
            served.close();
        }
    }

    /** Serves the program and the providers while `work` runs. */
    private async withServers<T>(
        runsProgram: boolean,
        work: (servers: {
            readonly flags: readonly string[];
            readonly environment: NodeJS.ProcessEnv;
            readonly control: Pick<RunOptions, "endRunning" | "hasPlugins">;
        }) => Promise<T>,
    ): Promise<T> {
        const program = runsProgram ? await serveProgram(this.project.main) : undefined;
        const providers = await serveMissingPackages();
        try {
            return await work({
                flags: program ? [`--client=127.0.0.1:${program.port}`] : [],
                environment: {
                    PULUMI_DEBUG_PROVIDERS: providers.addresses,
                    // Else the CLI looks on the internet for plugins of what is served here. Only AWS's is left to it.
                    ...(this.files.configured("provider") === "aws"
                        ? {}
                        : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
                },
                control: providers,
            });
        } finally {
            program?.close();
            providers.close();
        }
    }

    /** Makes the next run repeat the unfinished operations of a killed one. */
    private async resumeInterrupted(): Promise<void> {
        const state = withoutPendingOperations(
            (await this.exportedState()) as Parameters<typeof withoutPendingOperations>[0],
        );
        if (state !== undefined) {
            await this.replaceState(state);
        }
    }

    private async ensureStack(): Promise<void> {
        if (!(await this.hasStack())) {
            const { stack } = this.options;
            const ran = await this.run(["stack", "init", stack, "--no-select"], this.files.initDirectory());
            succeeded(ran, `pulumi stack init ${stack}`);
        }
    }

    /** https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#UntypedDeployment */
    private async exportedState(): Promise<unknown> {
        const ran = await this.run(["stack", "export", "--stack", this.options.stack]);
        return JSON.parse(succeeded(ran, "pulumi stack export").stdout);
    }

    private async hasStack(): Promise<boolean> {
        const state = this.files.stateFile();
        if (state !== undefined) {
            return existsSync(state);
        }
        return (await this.run(["stack", "export", "--stack", this.options.stack])).code === 0;
    }

    /** Versions before 0.2 had an engine of their own. Pulumi cannot read its state. */
    private refuseOldState(): void {
        const { stack, repository } = this.options;
        const file = join(this.files.directory, "state.json");
        if (!existsSync(file)) {
            return;
        }
        const { resources = [], pending = [] } = JSON.parse(readFileSync(file, "utf8")) as {
            readonly resources?: readonly unknown[];
            readonly pending?: readonly unknown[];
        };
        if (resources.length + pending.length > 0) {
            const [from, to] = [repository, `${repository}-0.1`].map(quote);
            throw new UserError(
                `The stack "${stack}" was brought up by kubelab 0.1 with an engine of its own, which alone reads its state ` +
                    `(${file}). Take it down with kubelab 0.1, then bring it up again:\n` +
                    `  git -C ${from} worktree add ${to} ${LAST_WITH_OWN_ENGINE}\n` +
                    `  mkdir ${to}/.kubelab && mv ${from}/.kubelab/${stack} ${to}/.kubelab/ && cp ${from}/Pulumi.${stack}.yaml ${to}/\n` +
                    `  KUBELAB_ENGINE=offline ${to}/scripts/lab down --stack ${stack}`,
            );
        }
    }

    private environment(): NodeJS.ProcessEnv {
        // It runs for seconds: memory is cheaper than looking for what is unused. https://pkg.go.dev/runtime#hdr-Environment_Variables
        const { GOGC = "400" } = process.env;
        return {
            ...this.files.environment(),
            GOGC,
            PULUMI_SKIP_UPDATE_CHECK: "true",
            // The command plugin would ask an agent of the user's, and fail where that is gone.
            SSH_AUTH_SOCK: undefined,
        };
    }

    private run(args: readonly string[], cwd: string = this.options.repository): Promise<RanPulumi> {
        return runPulumi(this.cli.path, [...args, "--non-interactive"], {
            cwd,
            environment: this.environment(),
            note: this.options.note,
            endRunning: () => undefined,
            hasPlugins: true,
        });
    }
}

/** The last commit with that engine. */
const LAST_WITH_OWN_ENGINE = "1ae5a30";

function succeeded(ran: RanPulumi, what: string): RanPulumi {
    if (ran.code !== 0) {
        throw new UserError(`\`${what}\` failed:\n${lastLines(ran)}`);
    }
    return ran;
}

function lastLines({ stdout, stderr }: RanPulumi): string {
    return `${stdout}\n${stderr}`.trim().split("\n").slice(-20).join("\n");
}
