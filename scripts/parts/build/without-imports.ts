import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GoProject } from "../recipe";
import { moduleSource, projectDirectory } from "./go-module";
import { run } from "./run";
import type { GoToolchain } from "./toolchain";

/**
 * Go arguments that build a project from a copy of its module in which files lack the imports that the recipe leaves out: Go's
 * own way to leave a plugin out is a program that doesn't import it. The copy's other files, and every other module, are the
 * ones that go.sum pins.
 *
 * @param directory where the copy may be, empty.
 * @throws Error where a file doesn't have such an import.
 */
export async function withoutImports(project: GoProject, go: GoToolchain, directory: string): Promise<string[]> {
    const files = Object.entries(project.withoutImports ?? {});
    if (files.length === 0) {
        return [];
    }
    const copy = join(directory, "module");
    // Modules in Go's cache are read-only.
    await run("cp", ["-r", "--no-preserve=mode", await moduleSource(go, project, project.module), copy]);
    for (const [file, imports] of files) {
        const source = readFileSync(join(copy, file), "utf8");
        writeFileSync(join(copy, file), leaveOut(source, imports));
    }
    const [goMod, goSum] = ["go.mod", "go.sum"].map((name) =>
        readFileSync(join(projectDirectory(project), name), "utf8"),
    );
    const file = join(directory, "without-imports.mod");
    writeFileSync(file, `${goMod}\nreplace ${project.module} => ${copy}\n`);
    writeFileSync(file.replace(/mod$/, "sum"), goSum ?? "");
    return [`-modfile=${file}`];
}

/** Go source without the lines `_ "path"` of these imports. @throws Error where there is no such line. */
export function leaveOut(source: string, imports: readonly string[]): string {
    return imports.reduce((text, path) => {
        const line = new RegExp(`^\\s*_ "${path.replaceAll(".", "\\.")}"\n`, "m");
        if (!line.test(text)) {
            throw new Error(`parts.yaml leaves out the import ${path}, which the file doesn't have`);
        }
        return text.replace(line, "");
    }, source);
}
