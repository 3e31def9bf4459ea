import pc from "picocolors";
import type { Check, State } from "./check";

const MARKS: Readonly<Record<State, string>> = {
    ok: pc.green("✓"),
    missing: pc.red("✗"),
    warning: pc.yellow("!"),
    info: pc.dim("·"),
};

/** A line per check, and one below it where there is something to do. */
export function renderChecks(checks: readonly Check[]): string {
    const width = Math.max(...checks.map(({ name }) => name.length));
    return checks
        .map(({ name, state, detail, remedy }) => {
            const line = `  ${MARKS[state]} ${name.padEnd(width)}  ${detail}`;
            return remedy === undefined ? line : `${line}\n    ${" ".repeat(width)}  → ${remedy}`;
        })
        .join("\n");
}

/** The last line of `scripts/lab doctor`. */
export function renderVerdict(checks: readonly Check[]): string {
    const count = (state: State): number => checks.filter((check) => check.state === state).length;
    const warnings = count("warning") === 0 ? "" : `, ${plural(count("warning"), "warning")}`;
    return count("missing") === 0
        ? `${pc.green("✓")} a lab can come up here${warnings}`
        : `${pc.red("✗")} ${plural(count("missing"), "problem")}${warnings}`;
}

function plural(count: number, word: string): string {
    return `${count} ${word}${count === 1 ? "" : "s"}`;
}
