import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A file that a step writes on a machine. */
export interface HostFile {
    /** Absolute path. */
    readonly path: string;
    readonly content: string;
    /** Octal mode; default `0644`. */
    readonly mode?: string;
    /** `user:group`; default `root:root`. */
    readonly owner?: string;
}

/** What one step does: bash statements that may use the functions of `STEP_LIBRARY`. */
export interface StepScript {
    readonly create: readonly string[];
    readonly delete?: readonly string[];
}

/** The functions that every step has at hand. */
export const STEP_LIBRARY = ["step", "file", "record", "service", "static-pod"]
    .map((name) => readFileSync(join(__dirname, `${name === "static-pod" ? name : `${name}-library`}.sh`), "utf8"))
    .map((text) => text.split("\n").slice(1).join("\n").trim())
    .join("\n\n");

/** Where machines have them, for root to change. Named by the content: another version of this program brings another file. */
const LIBRARY_SUM = createHash("sha256").update(`${STEP_LIBRARY}\n`).digest("hex");
export const LIBRARY_PATH = `/usr/local/lib/kubelab/steps-${LIBRARY_SUM.slice(0, 16)}.sh`;

/** How a script comes by the library: the first one on a machine brings it, the others read what it has put there. */
export type Library = "installed" | "brought" | "none";

const DELIMITER = "KUBELAB_END_OF_FILE";

/**
 * The bash statement that writes `file` by the library's `put`.
 *
 * @throws when the content holds the here-document's delimiter.
 */
export function put(file: HostFile): string {
    return write("put", file);
}

/** The statements that write several files at once, with fewer programs than one after the other. */
export function putAll(files: readonly HostFile[]): string[] {
    return [...files.map((file) => write("plan", file)), "write_planned"];
}

function write(verb: "put" | "plan", file: HostFile): string {
    if (file.content.includes(DELIMITER)) {
        throw new Error(`${file.path}: the content holds the line ${DELIMITER}`);
    }
    const body = file.content.endsWith("\n") ? file.content : `${file.content}\n`;
    const { mode = "0644", owner = "root:root" } = file;
    // What the machine's record has of it.
    const sum = createHash("sha256").update(body).digest("hex");
    return `${verb} ${quote(file.path)} ${mode} ${owner} ${sum} <<'${DELIMITER}'\n${body}${DELIMITER}`;
}

/** Where machines keep the scripts of checks. */
const CHECKS = "/var/lib/kubelab/checks";

/** A script that tells what differs of something that isn't a file, a unit or a kernel setting. */
export interface Check {
    /** Of the script's file, unique on the machine. */
    readonly name: string;
    /** What is looked at, one word for the person. */
    readonly subject: string;
    /** Bash statements that print a line for each difference, within seconds. */
    readonly statements: readonly string[];
}

/** The statements that leave a check on the machine for `scripts/lab status` to run, and write other files with it. */
export function leaveCheck({ name, subject, statements }: Check, files: readonly HostFile[] = []): string[] {
    const path = `${CHECKS}/${name}`;
    const content = ["#!/bin/bash", "set -euo pipefail", ...statements].join("\n");
    return [...putAll([...files, { path, content, mode: "0600" }]), `note check ${subject} bash ${path}`];
}

/** The statement that takes a check away. */
export function removeCheck(name: string): string {
    return `rm -f ${CHECKS}/${name}`;
}

/** A word as bash reads it back unchanged. */
export function quote(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The whole text of a step for `bash -s -- create|delete`. Everything is in functions that are read to their end before the first
 * statement runs, and no statement can swallow the rest of the script from standard input.
 */
export function renderScript(script: StepScript, library: Library = "installed"): string {
    const body = (statements: readonly string[]): string => (statements.length === 0 ? ":" : statements.join("\n"));
    return [
        "set -euo pipefail",
        "on_create() {",
        body(script.create),
        "}",
        "on_delete() {",
        body(script.delete ?? []),
        "}",
        ...renderLibrary(library),
        `"on_$1" </dev/null`,
        ...(library === "none" ? [] : [`keep_record "$1"`]),
        "",
    ].join("\n");
}

function renderLibrary(library: Library): string[] {
    switch (library) {
        case "installed":
            return [READ_LIBRARY];
        case "brought":
            return [
                `IFS= read -rd '' library <<'KUBELAB_LIBRARY' || true\n${STEP_LIBRARY}\nKUBELAB_LIBRARY`,
                'eval "$library"',
            ];
        case "none":
            return [];
    }
}

/** A machine without the functions never had the step, or lost them: then there is little to undo. */
export const READ_LIBRARY = `. ${LIBRARY_PATH} || {
    echo "kubelab: $HOSTNAME: without ${LIBRARY_PATH} no step works: 'scripts/lab repair' puts it back" >&2
    [ "$1" = delete ]
    exit
}`;

/** The statement after which `write_planned` writes the functions that a step has brought where the others find them. */
export function planLibrary(): string {
    return `plan ${LIBRARY_PATH} 0644 root:root ${LIBRARY_SUM} < <(printf '%s' "\${library:?}")`;
}
