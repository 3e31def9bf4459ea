import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { UserError } from "../support/errors";

/** Config as the SDK takes it: full keys (`kubelab:workers`), values as text, lists and objects as JSON. */
export type Config = Readonly<Record<string, string>>;

export interface Project {
    readonly name: string;
    /** Defaults from the schema in Pulumi.yaml. */
    readonly defaults: Config;
    /** Types that Pulumi.yaml declares, by full key. */
    readonly types: Readonly<Record<string, string | undefined>>;
    /** The program, absolute. */
    readonly main: string;
}

/** Reads Pulumi.yaml and where its program is; https://www.pulumi.com/docs/iac/concepts/projects/project-file/ */
export function readProject(repository: string): Project {
    const file = join(repository, "Pulumi.yaml");
    const content = readYaml(file);
    const { name, main } = content;
    if (typeof name !== "string") {
        throw new UserError(`${file} has no project name.`);
    }
    const packageFile = join(repository, "package.json");
    const fromPackage = existsSync(packageFile)
        ? (JSON.parse(readFileSync(packageFile, "utf8")) as { readonly main?: string }).main
        : undefined;
    const declared = Object.entries(asRecord(content["config"])).map(([key, value]) => {
        const isDeclaration = typeof value === "object" && value !== null && !Array.isArray(value);
        const { value: fixed, default: fallback } = isDeclaration ? (value as Record<string, unknown>) : { value };
        return [fullKey(key, name), fixed ?? fallback] as const;
    });
    const types = Object.entries(asRecord(content["config"])).map(([key, value]) => {
        const { type } = asRecord(value);
        return [fullKey(key, name), typeof type === "string" ? type : undefined] as const;
    });
    return {
        name,
        defaults: asConfig(declared),
        types: Object.fromEntries(types),
        main: join(repository, typeof main === "string" ? main : (fromPackage ?? "index.ts")),
    };
}

/**
 * The config of a stack: the project's defaults, `Pulumi.<stack>.yaml` over them, `overrides` over those.
 *
 * @throws UserError for a missing stack file, or an encrypted value.
 */
export function stackConfig(repository: string, stack: string, project: Project, overrides: Config): Config {
    const file = join(repository, `Pulumi.${stack}.yaml`);
    if (!existsSync(file)) {
        throw new UserError(`There is no stack config ${file}: a stack named "${stack}" needs one.`);
    }
    const entries = Object.entries(asRecord(readYaml(file)["config"])).map(([key, value]) => {
        if (typeof value === "object" && value !== null && "secure" in value) {
            throw new UserError(`${file}: ${key} is encrypted, and this command doesn't decrypt config.`);
        }
        return [fullKey(key, project.name), value] as const;
    });
    const own = Object.entries(overrides).map(([key, value]) => [fullKey(key, project.name), value] as const);
    return { ...project.defaults, ...asConfig(entries), ...asConfig(own) };
}

export function readYaml(file: string): Record<string, unknown> {
    try {
        return asRecord(parse(readFileSync(file, "utf8")));
    } catch (error) {
        throw new UserError(`${file} can't be read: ${(error as Error).message}`);
    }
}

/** A key without a namespace is the project's own. */
export function fullKey(key: string, project: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

function asRecord(value: unknown): Record<string, unknown> {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asConfig(entries: readonly (readonly [string, unknown])[]): Config {
    return Object.fromEntries(
        entries
            .filter(([, value]) => value !== undefined && value !== null)
            .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
}
