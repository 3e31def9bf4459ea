import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify, parse } from "yaml";
import { homeDirectory } from "../support/paths";
import { fullKey, type Project, readYaml } from "./project";

/**
 * Where a stack's state, passphrase and config are, as the CLI is told.
 *
 * Unless the user has chosen a backend, stacks are kept in `.kubelab/pulumi`; unless they have set a passphrase, it is a random one
 * in `.kubelab/<stack>/passphrase`. The CLI gets a copy of the stack file in `.kubelab/<stack>`, since it writes into it: the tracked
 * file stays as it is.
 */
export class StackFiles {
    readonly directory: string;
    /** The copy of the stack file. */
    readonly configFile: string;
    /** Directory of our own file backend; undefined where the user has chosen another. */
    readonly backend: string | undefined;

    constructor(
        private readonly repository: string,
        private readonly project: Project,
        private readonly stack: string,
    ) {
        this.directory = join(repository, ".kubelab", stack);
        this.configFile = join(this.directory, `Pulumi.${stack}.yaml`);
        this.backend = chosenBackend() === undefined ? join(repository, ".kubelab/pulumi") : undefined;
    }

    /** Creates the files that the CLI needs. */
    prepare(): void {
        mkdirSync(this.directory, { recursive: true, mode: 0o700 });
        if (this.backend) {
            mkdirSync(this.backend, { recursive: true, mode: 0o700 });
        }
        if (this.usesOwnPassphrase()) {
            ensurePassphraseFile(this.passphraseFile);
        }
    }

    /**
     * The environment in which the CLI finds state and passphrase. The file backend writes no attributes beside each
     * file: a killed CLI can leave one cut off, which no later run could read
     * (https://pkg.go.dev/gocloud.dev/blob/fileblob#URLOpener).
     */
    environment(): NodeJS.ProcessEnv {
        return {
            ...(this.backend ? { PULUMI_BACKEND_URL: `${pathToFileURL(this.backend).href}?metadata=skip` } : {}),
            ...(this.usesOwnPassphrase() ? { PULUMI_CONFIG_PASSPHRASE_FILE: this.passphraseFile } : {}),
        };
    }

    /** What the stack's secrets are encrypted with; undefined where it is nowhere. */
    passphrase(): string | undefined {
        const { PULUMI_CONFIG_PASSPHRASE: given, PULUMI_CONFIG_PASSPHRASE_FILE: file } = process.env;
        const from = file ? file : this.passphraseFile;
        return given ?? (existsSync(from) ? readFileSync(from, "utf8").trim() : undefined);
    }

    /** The stack's state; undefined where the user has chosen another backend. */
    stateFile(): string | undefined {
        return this.backend && join(this.backend, ".pulumi/stacks", this.project.name, `${this.stack}.json`);
    }

    /** A directory in which the CLI makes the stack: there it writes its stack file with the salt, and not beside the tracked one. */
    initDirectory(): string {
        const copy = join(this.directory, "Pulumi.yaml");
        copyFileSync(join(this.repository, "Pulumi.yaml"), copy);
        chmodSync(copy, 0o600);
        return this.directory;
    }

    /** Writes the tracked stack file with the overrides in it, and what the CLI wrote into the copy: its salt. */
    writeConfig(overrides: Readonly<Record<string, string>>): void {
        const own = existsSync(this.configFile) ? readYaml(this.configFile) : {};
        const tracked = join(this.repository, `Pulumi.${this.stack}.yaml`);
        const { config, ...rest } = existsSync(tracked) ? readYaml(tracked) : {};
        const kept = Object.fromEntries(
            ["secretsprovider", "encryptedkey", "encryptionsalt"].flatMap((key) =>
                key in own ? [[key, own[key]]] : [],
            ),
        );
        const entries = Object.entries(asMap(config)).map(
            ([key, value]) => [fullKey(key, this.project.name), value] as const,
        );
        const typed = Object.entries(overrides).map(([key, value]) => {
            const full = fullKey(key, this.project.name);
            return [full, this.typed(full, value)] as const;
        });
        const whole = { ...kept, ...rest, config: Object.fromEntries([...entries, ...typed]) };
        writeFileSync(this.configFile, stringify(whole), { mode: 0o600 });
        chmodSync(this.configFile, 0o600);
    }

    /** A value of the config as it was written last. */
    configured(key: string): unknown {
        const { config = {} } = existsSync(this.configFile) ? readYaml(this.configFile) : {};
        return (config as Readonly<Record<string, unknown>>)[fullKey(key, this.project.name)];
    }

    /** An override as YAML wants it: numbers, booleans, lists and maps where the project declares them, else text. */
    private typed(key: string, value: string): unknown {
        const type = this.project.types[key];
        const isStructure = type === undefined && /^\s*[[{]/.test(value);
        return isStructure || (type !== undefined && type !== "string") ? parse(value) : value;
    }

    private get passphraseFile(): string {
        return join(this.directory, "passphrase");
    }

    private usesOwnPassphrase(): boolean {
        const { PULUMI_CONFIG_PASSPHRASE: given, PULUMI_CONFIG_PASSPHRASE_FILE: file } = process.env;
        return given === undefined && !file;
    }
}

/** What isn't a map, as `config: kubelab:workers=1`, is left to the program, which reports it with all other mistakes. */
function asMap(config: unknown): Record<string, unknown> {
    return typeof config === "object" && config !== null && !Array.isArray(config) ? { ...config } : {};
}

/** Where the CLI keeps stacks when the user has chosen a place: by PULUMI_BACKEND_URL or `pulumi login`. */
function chosenBackend(): string | undefined {
    const fromEnvironment = process.env["PULUMI_BACKEND_URL"];
    if (fromEnvironment) {
        return fromEnvironment;
    }
    const file = join(process.env["PULUMI_HOME"] || join(homeDirectory(), ".pulumi"), "credentials.json");
    if (!existsSync(file)) {
        return undefined;
    }
    const { current } = JSON.parse(readFileSync(file, "utf8")) as { readonly current?: string };
    return current ? current : undefined;
}

/** Makes `file` with a random passphrase, mode 0600, unless it is there. */
function ensurePassphraseFile(file: string): void {
    if (!existsSync(file)) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    }
}
