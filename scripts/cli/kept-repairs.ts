import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidConfig, parseClusterSpec } from "../../components/cluster-spec";
import { fullKey, readProject, readYaml } from "../engine/project";
import type { Stack } from "./stack";

const KEY = "kubelab:repair";

type Texts = Readonly<Record<string, string>>;

/**
 * The values of `kubelab:repair` that `scripts/lab repair` has set, in `.kubelab/<stack>/repair.json`: kept, since taking one away
 * would be a change too.
 */
export class KeptRepairs {
    private readonly file: string;

    constructor(private readonly stack: Stack) {
        this.file = join(stack.directory, "repair.json");
    }

    /** Makes the next `up` run the steps of these nodes, or of `host`, again. */
    add(names: readonly string[], text: string): void {
        mkdirSync(this.stack.directory, { recursive: true, mode: 0o700 });
        const texts = { ...this.read(), ...Object.fromEntries(names.map((name) => [name, text])) };
        writeFileSync(this.file, `${JSON.stringify(texts, undefined, 2)}\n`, { mode: 0o600 });
    }

    /** Once the stack is down. */
    forget(): void {
        rmSync(this.file, { force: true });
    }

    /** `overrides` with the kept values added to what the stack's config says, for those nodes that it has. */
    addTo(overrides: Texts): Texts {
        const kept = this.read();
        if (Object.keys(kept).length === 0) {
            return overrides;
        }
        const config = this.config(overrides);
        const configured = asTexts(config["repair"]);
        const known = [...nodeNames(this.stack.name, config), "host"];
        const entries = [...new Set([...Object.keys(configured), ...Object.keys(kept)])]
            .filter((name) => name in configured || known.includes(name))
            .map((name) => [name, [configured[name], kept[name]].filter(Boolean).join(" ")] as const);
        return { ...overrides, [KEY]: JSON.stringify(Object.fromEntries(entries)) };
    }

    private read(): Texts {
        return existsSync(this.file) ? (JSON.parse(readFileSync(this.file, "utf8")) as Texts) : {};
    }

    /** The project's own keys of the stack's config, without their prefix. */
    private config(overrides: Texts): Readonly<Record<string, unknown>> {
        const { name } = readProject(this.stack.repository);
        const content = readYaml(join(this.stack.repository, `Pulumi.${this.stack.name}.yaml`))["config"];
        const entries = Object.entries({ ...((content ?? {}) as Record<string, unknown>), ...overrides });
        return Object.fromEntries(entries.map(([key, value]) => [fullKey(key, name).slice(name.length + 1), value]));
    }
}

/** None where the config is wrong: the program says so. */
function nodeNames(stack: string, config: Readonly<Record<string, unknown>>): string[] {
    try {
        return parseClusterSpec({ ...config, repair: {} }, { stack }).nodes.map(({ name }) => name);
    } catch (error) {
        if (error instanceof InvalidConfig) {
            return [];
        }
        throw error;
    }
}

/** A map of the config, which may be JSON as on the command line. */
function asTexts(value: unknown): Texts {
    if (typeof value === "string" && value !== "") {
        return asTexts(JSON.parse(value) as unknown);
    }
    return typeof value === "object" && value !== null ? (value as Texts) : {};
}
