import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RECIPE_DIRECTORY } from "../recipe-digest";
import type { GoProject } from "../recipe";
import { run } from "./run";
import { compareGoVersions, type GoToolchain } from "./toolchain";

/** Where a project's go.mod and go.sum are. */
export function projectDirectory({ name, modules = name }: Pick<GoProject, "name" | "modules">): string {
    return join(RECIPE_DIRECTORY, "go", modules);
}

/**
 * The directory of a module's source, downloaded where it isn't there.
 *
 * @param directory where the go.mod is that has its version.
 */
export async function moduleSource(go: GoToolchain, directory: string, module: string): Promise<string> {
    const options = { cwd: directory, environment: { GOFLAGS: "-mod=readonly", GOWORK: "off" } };
    const answer = await run(go.program, ["mod", "download", "-json", module], options);
    return (JSON.parse(answer) as { readonly Dir: string }).Dir;
}

/**
 * The directories of all go.mod files, for any request: one Go builds all, and no part is built again because another
 * one needs a newer Go.
 */
export function allModules(): string[] {
    return readdirSync(join(RECIPE_DIRECTORY, "go")).map((name) => join(RECIPE_DIRECTORY, "go", name));
}

/** The newest `go` line of the go.mod files in these directories. */
export function neededGo(directories: readonly string[]): string {
    const lines = directories.map((directory) => {
        const text = readFileSync(join(directory, "go.mod"), "utf8");
        return /^go (\S+)$/m.exec(text)?.[1] ?? "1.21";
    });
    return lines.reduce((newest, line) => (compareGoVersions(line, newest) > 0 ? line : newest), "1.21");
}
