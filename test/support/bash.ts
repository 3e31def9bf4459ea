import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { READ_LIBRARY, renderScript, STEP_LIBRARY, type StepScript } from "../../components/steps/script";

export interface BashResult {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a script by `bash -s` with the words as its arguments, as a step runs. */
export function bash(script: string, words: readonly string[] = []): BashResult {
    const { status, stdout, stderr } = spawnSync("bash", ["-s", "--", ...words], {
        input: script,
        encoding: "utf8",
        timeout: 60_000,
    });
    return { status, stdout, stderr };
}

/** The text with the step library itself where a machine's copy of it is read. */
export function withLibrary(text: string): string {
    return text.replaceAll(READ_LIBRARY, () => STEP_LIBRARY);
}

/** As `renderScript`, with the library in the text. */
export function wholeScript(script: StepScript, tellsFirstRun = false): string {
    return withLibrary(renderScript(script, "installed", tellsFirstRun));
}

/** A directory for one test file, removed by `remove`. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
    const path = mkdtempSync(join(tmpdir(), "kubelab-test-"));
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What `bash -n` has to say against each script, by its name. */
export function syntaxErrors(scripts: Readonly<Record<string, string>>): Record<string, string> {
    const faults = Object.entries(scripts).map(([name, text]) => {
        const { stderr } = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
        return [name, stderr] as const;
    });
    return Object.fromEntries(faults.filter(([, stderr]) => stderr !== ""));
}

/** What shellcheck has to say against all of the scripts, one line per finding; nothing where all is well. */
export function shellcheck(scripts: Readonly<Record<string, string>>): string {
    const directory = temporaryDirectory();
    try {
        const files = Object.entries(scripts).map(([name, text]) => {
            writeFileSync(join(directory.path, name), text);
            return name;
        });
        // SC2317: the library's functions aren't all called in every step, and its entry points by a computed name; SC1091: it is no file here.
        const { stdout, stderr } = spawnSync(
            "shellcheck",
            ["-s", "bash", "-f", "gcc", "-e", "SC2317,SC1091", ...files],
            {
                cwd: directory.path,
                encoding: "utf8",
            },
        );
        return `${stdout}${stderr}`;
    } finally {
        directory.remove();
    }
}

/** `test` where the program is on PATH, else `test.skip` with the reason in the name. */
export function testWith(program: string): (name: string, body: () => void, timeout?: number) => void {
    const there = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
    return (name, body, timeout) =>
        there ? test(name, body, timeout) : test.skip(`${name} (needs ${program} on PATH)`, body, timeout);
}
