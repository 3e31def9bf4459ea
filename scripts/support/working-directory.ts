import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** Set by scripts/lab, which changes to its checkout. */
const VARIABLE = "KUBELAB_WORKING_DIRECTORY";

/** Where the user stands: relative paths that they give begin there. */
export function workingDirectory(): string {
    const stood = process.env[VARIABLE];
    return stood && existsSync(stood) ? stood : process.cwd();
}

/** A path as the user has given it, absolute. */
export function givenPath(path: string): string {
    return resolve(workingDirectory(), path);
}

/** Makes paths in the environment absolute, as the programs that are started from here stand elsewhere. */
export function settlePaths(names: readonly string[], environment: NodeJS.ProcessEnv = process.env): void {
    for (const name of names) {
        const given = environment[name];
        if (given !== undefined) {
            environment[name] = given === "" ? "" : givenPath(given);
        }
    }
}
