import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GoProject } from "../recipe";
import { moduleSource } from "./go-module";
import { run } from "./run";
import type { GoToolchain } from "./toolchain";

/**
 * Go arguments that build a project from a copy of its module that is changed as the recipe says: files lack imports (Go's own way to
 * leave a plugin out is a program that doesn't import it), or are others. The copy's other files, and every other module, are
 * the ones that go.sum pins.
 *
 * @param own where the project's go.mod is, and its files that take others' places.
 * @param directory where the copy may be, empty.
 * @throws Error where the module has no such file, or a file no such import.
 */
export async function changedModule(
    project: GoProject,
    go: GoToolchain,
    own: string,
    directory: string,
): Promise<string[]> {
    const without = Object.entries(project.withoutImports ?? {});
    const replaced = Object.entries(project.replacedFiles ?? {});
    if (without.length + replaced.length === 0) {
        return [];
    }
    const copy = join(directory, "module");
    // Modules in Go's cache are read-only.
    await run("cp", ["-r", "--no-preserve=mode", await moduleSource(go, own, project.module), copy]);
    for (const [file, imports] of without) {
        const source = readFileSync(join(copy, file), "utf8");
        writeFileSync(join(copy, file), leaveOut(source, imports));
    }
    for (const [file, ours] of replaced) {
        if (!existsSync(join(copy, file))) {
            throw new Error(`${project.name} replaces ${file} of ${project.module}, which has no such file`);
        }
        copyFileSync(join(own, ours), join(copy, file));
    }
    const file = join(directory, "changed.mod");
    writeFileSync(file, `${readFileSync(join(own, "go.mod"), "utf8")}\nreplace ${project.module} => ${copy}\n`);
    copyFileSync(join(own, "go.sum"), file.replace(/mod$/, "sum"));
    return [`-modfile=${file}`];
}

/** Go source without the lines `_ "path"` of these imports. @throws Error where there is no such line. */
export function leaveOut(source: string, imports: readonly string[]): string {
    return imports.reduce((text, path) => {
        const line = new RegExp(`^\\s*_ "${path.replaceAll(".", "\\.")}"( *//.*)?\n`, "m");
        if (!line.test(text)) {
            throw new Error(`the import ${path} is to be left out, and the file doesn't have it`);
        }
        return text.replace(line, "");
    }, source);
}
