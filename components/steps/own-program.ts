import { realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { quote } from "./script";

/** The directory of this package, wherever the program that uses it is. */
const PACKAGE = join(__dirname, "../..");

/**
 * The command line, for `sh` in the project's directory, that runs a program of this package.
 *
 * Paths in it are relative to the project, which is where Pulumi runs local commands: the command is recorded in the state, and a
 * checkout somewhere else must neither change it nor be unable to undo what the first one made.
 *
 * @param program path in this package: `scripts/parts/main.ts`.
 * @param project the directory that holds Pulumi.yaml.
 */
export function ownProgram(program: string, project: string = process.cwd()): string {
    const from = realpathSync(project);
    if (relative(from, PACKAGE) === "") {
        return `node --require tsx/cjs ${program}`;
    }
    const path = (target: string): string => {
        const way = relative(from, target);
        return way.startsWith(".") ? way : `./${way}`;
    };
    return `node --require ${quote(path(require.resolve("tsx/cjs")))} ${quote(path(join(PACKAGE, program)))}`;
}
