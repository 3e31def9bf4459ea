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
    /** The program whose text the content is: `programFile`. */
    readonly program?: string;
}

/** A file that a step copies from another one on the machine: what is in it goes over no connection, and into no state. */
export interface CopiedFile {
    /** Absolute path. */
    readonly path: string;
    /** Absolute path of what it is a copy of. */
    readonly source: string;
    /** Octal mode. */
    readonly mode: string;
    /** `user:group` */
    readonly owner: string;
}

/** What one step does: bash statements that may use the functions of `STEP_LIBRARY`. */
export interface StepScript {
    readonly create: readonly string[];
    readonly delete?: readonly string[];
}

const PROGRAM_DELIMITER = "KUBELAB_PROGRAM";

/** Programs that steps write on machines, as files below components/. The library has their text, so that no step repeats it. */
const PROGRAMS = {
    join: "node-certificates/join.sh",
    "node-approver": "node-certificates/node-approver.sh",
    "etcd-backup": "control-plane/etcd-backup.sh",
} as const;

/** A file with one of these programs. */
export function programFile(path: string, program: keyof typeof PROGRAMS): HostFile {
    return { path, content: readProgram(program), mode: "0755", program };
}

function readProgram(program: keyof typeof PROGRAMS): string {
    return readFileSync(join(__dirname, "..", PROGRAMS[program]), "utf8");
}

/** The bash function that prints the text of a program. */
function renderPrograms(): string {
    const cases = (Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]).flatMap((program) => [
        `    ${program}) IFS= read -rd '' text <<'${PROGRAM_DELIMITER}' || true`,
        `${readProgram(program).trim()}\n${PROGRAM_DELIMITER}`,
        "        ;;",
    ]);
    return ["program() {", "local text=''", "case $1 in", ...cases, "esac", `printf '%s' "$text"`, "}"].join("\n");
}

/** The functions that every step has at hand. */
export const STEP_LIBRARY = [
    "step",
    "file",
    "record",
    "service",
    "parts",
    "machine-keys",
    "bootstrap-token",
    "etcd-member",
    "moving-address",
    "upgrade",
    "static-pod",
]
    .map((name) => readFileSync(join(__dirname, `${name === "static-pod" ? name : `${name}-library`}.sh`), "utf8"))
    .map((text) => text.split("\n").slice(1).join("\n").trim())
    .concat(renderPrograms())
    .join("\n\n");

/** Where machines have them, for root to change. Named by the content: another version of this program brings another file. */
export const LIBRARY_SUM = createHash("sha256").update(`${STEP_LIBRARY}\n`).digest("hex");
export const LIBRARY_PATH = `/usr/local/lib/kubelab/steps-${LIBRARY_SUM.slice(0, 16)}.sh`;

/**
 * How a script comes by the library: it reads what is on the machine; or it brings it, as the first one on a machine does that hasn't
 * had it on its disk from the start.
 */
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
export function putAll(files: readonly (HostFile | CopiedFile)[]): string[] {
    return [...files.map((file) => ("source" in file ? copy(file) : write("plan", file))), "write_planned"];
}

/** The statements that write files which the process reads only when it needs them: they restart nothing. */
export function putForLater(files: readonly HostFile[]): string[] {
    return [...files.map((file) => write("plan", file)), "write_for_later"];
}

function copy({ path, source, mode, owner }: CopiedFile): string {
    return `plan_copy ${quote(path)} ${mode} ${owner} ${quote(source)}`;
}

function write(verb: "put" | "plan", file: HostFile): string {
    if (file.content.includes(DELIMITER)) {
        throw new Error(`${file.path}: the content holds the line ${DELIMITER}`);
    }
    const body = file.content.endsWith("\n") ? file.content : `${file.content}\n`;
    const { mode = "0644", owner = "root:root" } = file;
    // What the machine's record has of it.
    const sum = createHash("sha256").update(body).digest("hex");
    const written = `${verb} ${quote(file.path)} ${mode} ${owner} ${sum}`;
    return file.program === undefined
        ? `${written} <<'${DELIMITER}'\n${body}${DELIMITER}`
        : `${written} < <(program ${file.program})`;
}

/** Where machines keep the scripts of checks. */
const CHECKS = "/var/lib/kubelab/checks";

/** A script that prints drift of something other than a file, a unit or a kernel setting. */
export interface Check {
    /** Of the script's file, unique on the machine. */
    readonly name: string;
    /** The subject, in one word. */
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
 * The whole text of a step for `bash -s -- create|update|delete`. Everything is in functions that are read to their end before the first
 * statement runs, and no statement can swallow the rest of the script from standard input.
 *
 * @param tellsFirstRun `$operation` says whether the step runs for the first time: `create`, or `update`.
 */
export function renderScript(script: StepScript, library: Library = "installed", tellsFirstRun = false): string {
    const body = (statements: readonly string[]): string => (statements.length === 0 ? ":" : statements.join("\n"));
    return [
        "set -euo pipefail",
        "on_create() {",
        body(script.create),
        "}",
        "on_delete() {",
        body(script.delete ?? []),
        "}",
        ...(tellsFirstRun ? ["operation=$1", "on_update() { on_create; }"] : []),
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

/**
 * The statement of a machine's first step by which its record has the library: one that was brought is written by the next
 * `write_planned` where the other steps find it.
 */
export function recordLibrary(library: Exclude<Library, "none">): string {
    return library === "brought"
        ? `plan ${LIBRARY_PATH} 0644 root:root ${LIBRARY_SUM} < <(printf '%s' "\${library:?}")`
        : `note file 644 root:root ${LIBRARY_SUM} ${LIBRARY_PATH}`;
}

/** Ends each line that is kubelab's in a file that isn't, after ` # `. */
const OWN_LINES = "kubelab";

/** Lines for such a file, as they stand there. */
export function ownLines(lines: readonly string[]): string {
    return lines.map((line) => `${line} # ${OWN_LINES}\n`).join("");
}

/** The text of such a file with these lines in place of those that are kubelab's in it. */
export function withOwnLines(text: string, lines: readonly string[]): string {
    const others = text.split(/(?<=\n)/).filter((line) => !line.trimEnd().endsWith(` # ${OWN_LINES}`));
    return others.join("") + ownLines(lines);
}

/** The bash statement that puts them into a file, at its end. */
export function putLines(path: string, lines: readonly string[]): string {
    const sum = createHash("sha256").update(ownLines(lines)).digest("hex");
    return `put_lines ${quote(path)} ${OWN_LINES} ${sum} <<'LINES'\n${lines.join("\n")}\nLINES`;
}
