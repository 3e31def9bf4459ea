import { join } from "node:path";
import { type ClusterSpec, InvalidConfig, parseClusterSpec } from "../../components/cluster-spec";
import { stackFileProblems } from "../../components/cluster-spec/stack-file";
import { partsRequest } from "../../components/steps/parts/request";
import { fullKey, readProject, readYaml } from "../engine/project";
import { UserError } from "../support/errors";
import type { Stack } from "./stack";

/**
 * The cluster that the stack's config describes, as the program will read it.
 *
 * @param overrides config of this run, by full key.
 * @returns undefined where values that matter are encrypted, which only the engine can read.
 * @throws UserError with every problem of the config.
 */
export function specOfStack(stack: Stack, overrides: Readonly<Record<string, string>>): ClusterSpec | undefined {
    const { name: project, defaults } = readProject(stack.repository);
    const content = readYaml(join(stack.repository, `Pulumi.${stack.name}.yaml`))["config"];
    const given = { ...defaults, ...withFullKeys(content, project), ...withFullKeys(overrides, project) };
    const own = Object.entries(given)
        .filter(([key]) => key.startsWith(`${project}:`))
        .map(([key, value]) => [key.slice(project.length + 1), value] as const);
    const plain = own.filter(([, value]) => !isEncrypted(value));
    try {
        return parseClusterSpec(Object.fromEntries(plain), {
            stack: stack.name,
            problems: stackFileProblems(stack.repository, stack.name),
        });
    } catch (error) {
        if (!(error instanceof InvalidConfig)) {
            throw error;
        }
        if (plain.length < own.length) {
            return undefined;
        }
        throw new UserError(error.message);
    }
}

/** As `specOfStack`. @throws UserError also where values are encrypted. */
export function requireSpec(stack: Stack, overrides: Readonly<Record<string, string>> = {}): ClusterSpec {
    const spec = specOfStack(stack, overrides);
    if (spec === undefined) {
        throw new UserError(`Pulumi.${stack.name}.yaml has encrypted values: only \`up\` can read what the stack is.`);
    }
    return spec;
}

/** Options of `scripts/lab parts get` for what a stack needs. @throws UserError where its config is wrong, or can't be known. */
export function flagsForStack(stack: Stack): string[] {
    stack.requireConfig();
    const spec = specOfStack(stack, {});
    if (spec === undefined) {
        throw new UserError(
            `Pulumi.${stack.name}.yaml has encrypted values: only \`up\` can read what the stack needs.`,
        );
    }
    const { source, directory, versions = {}, extras = [] } = partsRequest(spec);
    return [
        ...["--source", source],
        ...(directory === undefined ? [] : ["--directory", directory]),
        ...Object.entries(versions).flatMap(([part, version]) => ["--set", `${part}=${version}`]),
        ...(extras.length === 0 ? [] : ["--with", extras.join(",")]),
    ];
}

/** Nothing of what is no map, as `config: kubelab:workers=1`: that is one of the file's problems. */
function withFullKeys(config: unknown, project: string): Record<string, unknown> {
    if (typeof config !== "object" || config === null || Array.isArray(config)) {
        return {};
    }
    return Object.fromEntries(Object.entries(config).map(([key, value]) => [fullKey(key, project), value]));
}

/** A value, or a setting in it, that is as `pulumi config set --secret` writes it. */
function isEncrypted(value: unknown): boolean {
    return (
        typeof value === "object" &&
        value !== null &&
        ("secure" in value || Object.values(value).some((inner) => isEncrypted(inner)))
    );
}
