import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { readYaml, fullKey } from "../offline-engine/config";
import { ensurePassphraseFile } from "../offline-engine/secrets";
import { UserError } from "../support/errors";
import { INTERRUPTED, type Engine, type EngineOptions, type Summary } from "./engine";
import { chosenBackend, findPulumi, runPulumi, type FoundPulumi, type RanPulumi } from "./pulumi-cli";
import { PulumiEvents } from "./pulumi-events";
import { isLockedByTheDead } from "./pulumi-lock";

export { findPulumi };

/**
 * Drives the Pulumi CLI.
 *
 * Unless the user has chosen a backend, stacks are kept in `.kubelab/pulumi`; unless they have set a passphrase, it is a
 * random one in `.kubelab/<stack>/passphrase`. The CLI gets a copy of the stack file in `.kubelab/<stack>`, since it writes
 * into it: the tracked file stays as it is.
 */
export class PulumiEngine implements Engine {
    readonly name: string;
    private readonly path: string;
    private readonly project: string;
    private readonly directory: string;
    private readonly configFile: string;
    /** Directory of our own file backend; undefined when the user has chosen another. */
    private readonly backend: string | undefined;

    constructor(
        private readonly options: EngineOptions,
        found: FoundPulumi & { readonly usable: true },
    ) {
        const { repository, stack } = options;
        this.name = `Pulumi CLI ${found.version}`;
        this.path = found.path;
        this.project = String(readYaml(join(repository, "Pulumi.yaml"))["name"]);
        this.directory = join(repository, ".kubelab", stack);
        this.configFile = join(this.directory, `Pulumi.${stack}.yaml`);
        this.backend = chosenBackend() === undefined ? join(repository, ".kubelab/pulumi") : undefined;
    }

    preview(): Promise<Summary> {
        return this.operate(["preview"]);
    }

    up(): Promise<Summary> {
        return this.operate(["up", "--yes", "--skip-preview"]);
    }

    destroy(): Promise<Summary> {
        return this.operate(["destroy", "--yes", "--skip-preview"]);
    }

    async outputs({ showSecrets }: { readonly showSecrets: boolean }): Promise<Record<string, unknown>> {
        if (!(await this.hasStack())) {
            return {};
        }
        const secrets = showSecrets ? ["--show-secrets"] : [];
        const ran = await this.run(["stack", "output", "--json", "--stack", this.options.stack, ...secrets]);
        return JSON.parse(succeeded(ran, "pulumi stack output").stdout) as Record<string, unknown>;
    }

    async exists(): Promise<boolean> {
        const ran = await this.run(["stack", "export", "--stack", this.options.stack]);
        if (ran.code !== 0) {
            return false;
        }
        const { deployment } = JSON.parse(ran.stdout) as {
            readonly deployment?: { readonly resources?: readonly unknown[] };
        };
        return (deployment?.resources?.length ?? 0) > 0;
    }

    private async operate(command: readonly string[]): Promise<Summary> {
        const { stack } = this.options;
        const events = new PulumiEvents(this.options.report);
        this.prepareFiles();
        if (!(await this.hasStack())) {
            await this.createStack();
        }
        if (this.backend && isLockedByTheDead(this.backend, this.project, stack)) {
            succeeded(await this.run(["cancel", "--yes", "--stack", stack]), "pulumi cancel");
        }
        this.writeConfig();
        const ran = await this.run([...command, "--stack", stack, "--config-file", this.configFile], (event) =>
            events.take(event),
        );
        if (ran.code !== 0 && ran.interrupted) {
            throw new UserError(INTERRUPTED);
        }
        if (ran.code !== 0) {
            const failures = events.failures();
            throw new UserError(failures.length > 0 ? failures.join("\n") : `${command[0]} failed:\n${lastLines(ran)}`);
        }
        return events.summary();
    }

    private prepareFiles(): void {
        mkdirSync(this.directory, { recursive: true, mode: 0o700 });
        if (this.backend) {
            mkdirSync(this.backend, { recursive: true, mode: 0o700 });
        }
        if (this.usesOwnPassphrase()) {
            ensurePassphraseFile(join(this.directory, "passphrase"));
        }
    }

    private async hasStack(): Promise<boolean> {
        const { stack } = this.options;
        if (this.backend) {
            return existsSync(join(this.backend, ".pulumi/stacks", this.project, `${stack}.json`));
        }
        return (await this.run(["stack", "export", "--stack", stack])).code === 0;
    }

    /** In our own directory: there the CLI writes its stack file with the salt, and not beside the tracked one. */
    private async createStack(): Promise<void> {
        const { repository, stack } = this.options;
        copyFileSync(join(repository, "Pulumi.yaml"), join(this.directory, "Pulumi.yaml"));
        const ran = await this.run(["stack", "init", stack, "--no-select"], undefined, this.directory);
        succeeded(ran, `pulumi stack init ${stack}`);
    }

    /** The tracked stack file with the overrides in it, and what the CLI wrote into the copy: its salt. */
    private writeConfig(): void {
        const { repository, stack, configOverrides } = this.options;
        const own = existsSync(this.configFile) ? readYaml(this.configFile) : {};
        const tracked = join(repository, `Pulumi.${stack}.yaml`);
        const { config, ...rest } = existsSync(tracked) ? readYaml(tracked) : {};
        const overrides = Object.entries(configOverrides).map(([key, value]) => {
            const full = fullKey(key, this.project);
            return [full, this.typed(full, value)] as const;
        });
        const kept = Object.fromEntries(
            ["secretsprovider", "encryptedkey", "encryptionsalt"].flatMap((key) =>
                key in own ? [[key, own[key]]] : [],
            ),
        );
        const entries = Object.entries((config ?? {}) as Record<string, unknown>).map(
            ([key, value]) => [fullKey(key, this.project), value] as const,
        );
        const whole = { ...kept, ...rest, config: Object.fromEntries([...entries, ...overrides]) };
        writeFileSync(this.configFile, stringify(whole), { mode: 0o600 });
        chmodSync(this.configFile, 0o600);
    }

    /** An override as YAML wants it: numbers, booleans, lists and maps where the project declares them, else text. */
    private typed(key: string, value: string): unknown {
        const content = parse(readFileSync(join(this.options.repository, "Pulumi.yaml"), "utf8")) as {
            readonly config?: Readonly<Record<string, { readonly type?: string } | undefined>>;
        };
        const declared = content.config?.[key] ?? content.config?.[key.replace(`${this.project}:`, "")];
        const isStructure = declared?.type === undefined && /^\s*[[{]/.test(value);
        return isStructure || (declared?.type !== undefined && declared.type !== "string") ? parse(value) : value;
    }

    private usesOwnPassphrase(): boolean {
        const { PULUMI_CONFIG_PASSPHRASE: given, PULUMI_CONFIG_PASSPHRASE_FILE: file } = process.env;
        return given === undefined && !file;
    }

    private run(
        args: readonly string[],
        onEvent?: (event: unknown) => void,
        cwd: string = this.options.repository,
    ): Promise<RanPulumi> {
        return runPulumi(this.path, args, {
            cwd,
            environment: {
                ...(this.backend ? { PULUMI_BACKEND_URL: `file://${this.backend}` } : {}),
                ...(this.usesOwnPassphrase()
                    ? { PULUMI_CONFIG_PASSPHRASE_FILE: join(this.directory, "passphrase") }
                    : {}),
            },
            ...(onEvent ? { pipeDirectory: this.directory, onEvent } : {}),
        });
    }
}

function succeeded(ran: RanPulumi, what: string): RanPulumi {
    if (ran.code !== 0) {
        throw new UserError(`\`${what}\` failed:\n${lastLines(ran)}`);
    }
    return ran;
}

function lastLines({ stdout, stderr }: RanPulumi): string {
    return `${stdout}\n${stderr}`.trim().split("\n").slice(-20).join("\n");
}
