import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { nearest, type Problem } from "./problems";

/** What Pulumi reads of a stack file; https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/ */
const TOP_LEVEL = ["config", "encryptionsalt", "encryptedkey", "environment", "secretsprovider"];
const PROJECT = "kubelab";

/**
 * What is in a stack file and in no place that Pulumi reads: it says nothing of that.
 *
 * @param directory of the project.
 */
export function stackFileProblems(directory: string, stack: string): Problem[] {
    const name = `Pulumi.${stack}.yaml`;
    const file = join(directory, name);
    const content: unknown = existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
    if (typeof content !== "object" || content === null) {
        return [];
    }
    const { config } = content as { readonly config?: unknown };
    const misplaced = Object.keys(content)
        .filter((key) => !TOP_LEVEL.includes(key))
        .map((key) => ({
            key: key.replace(`${PROJECT}:`, ""),
            value: undefined,
            problem: `is at the top level of ${name}, where Pulumi doesn't read it`,
            remedy: 'move it below "config:"',
        }));
    return [...misplaced, ...configProblems(config, name)];
}

function configProblems(config: unknown, name: string): Problem[] {
    if (config === undefined || config === null) {
        return [];
    }
    if (typeof config !== "object" || Array.isArray(config)) {
        const problem = `is no map in ${name}`;
        const remedy = `write one setting per line below "config:", like "    ${PROJECT}:workers: 1"`;
        return [{ key: "config", value: config, problem, remedy }];
    }
    return Object.keys(config).flatMap((key) => {
        const [namespace = "", ...rest] = key.split(":");
        if (rest.length === 0 || namespace === PROJECT || nearest(namespace, [PROJECT]) === undefined) {
            return [];
        }
        const problem = `is ${key} in ${name}, of another project`;
        return [
            { key: rest.join(":"), value: undefined, problem, remedy: `did you mean ${PROJECT}:${rest.join(":")}?` },
        ];
    });
}
