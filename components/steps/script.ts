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

/** What one step does: bash statements that may use the functions of `step-library.sh` and `record-library.sh`. */
export interface StepScript {
    readonly create: readonly string[];
    readonly delete?: readonly string[];
    /** Functions that the statements use beside those of `step-library.sh`. */
    readonly library?: string;
}

/** The functions that every step has at hand. */
export const STEP_LIBRARY = ["step-library.sh", "record-library.sh"]
    .map((file) => readFileSync(join(__dirname, file), "utf8").split("\n").slice(1).join("\n").trim())
    .join("\n\n");
const DELIMITER = "KUBELAB_END_OF_FILE";

/**
 * The bash statement that writes `file` by the library's `put`.
 *
 * @throws when the content holds the here-document's delimiter.
 */
export function put(file: HostFile): string {
    if (file.content.includes(DELIMITER)) {
        throw new Error(`${file.path}: the content holds the line ${DELIMITER}`);
    }
    const body = file.content.endsWith("\n") ? file.content : `${file.content}\n`;
    const { mode = "0644", owner = "root:root" } = file;
    return `put ${quote(file.path)} ${mode} ${owner} <<'${DELIMITER}'\n${body}${DELIMITER}`;
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

/** The statements that leave a check on the machine for `scripts/lab status` to run. */
export function leaveCheck({ name, subject, statements }: Check): string[] {
    const path = `${CHECKS}/${name}`;
    const content = ["#!/bin/bash", "set -euo pipefail", ...statements].join("\n");
    return [put({ path, content, mode: "0700" }), `note check ${subject} ${path}`];
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
 * The whole text of a step for `bash -s -- create|delete`. The step comes first and the library after it, so that a person
 * who reads it (in a preview, in the state) sees what it does before how. Everything is in functions that are read to their
 * end before the first statement runs, and no statement can swallow the rest of the script from standard input.
 */
export function renderScript(script: StepScript): string {
    const body = (statements: readonly string[]): string => (statements.length === 0 ? ":" : statements.join("\n"));
    return [
        "set -euo pipefail",
        "on_create() {",
        body(script.create),
        "}",
        "on_delete() {",
        body(script.delete ?? []),
        "}",
        STEP_LIBRARY,
        ...(script.library === undefined ? [] : [script.library]),
        `"on_$1" </dev/null`,
        `keep_record "$1"`,
        "",
    ].join("\n");
}
