import pc from "picocolors";
import type { Explanation, Next, Stage } from "./explanation";

const SIGNS: Readonly<Record<Stage["state"], string>> = {
    done: pc.green("✓"),
    failed: pc.red("✗"),
    unknown: pc.yellow("?"),
    later: pc.dim("·"),
};

/** Characters of a line of a log, or of a report, that are shown. */
const WIDTH = 320;

/** @param command as it is typed: `Stack.command`. */
export function renderExplanation(
    explanation: Explanation,
    command: (name: string, ...words: string[]) => string,
): string {
    const { resource, namespace, well, summary, stages, fault } = explanation;
    const where = namespace === undefined ? "" : ` in ${namespace}`;
    const verdict = well ? pc.green("well") : pc.red("not well");
    const widths = [
        Math.max(...stages.map(({ stage }) => stage.length)),
        Math.max(...stages.map((each) => each.responsible.length)),
    ];
    const lines = [`${pc.bold(resource)}${where}: ${verdict}. ${shown(summary)}`, ""];
    for (const { stage, responsible, state, evidence } of stages) {
        const [first = "", ...rest] = evidence;
        const row = `  ${SIGNS[state]} ${stage.padEnd(widths[0] ?? 0)}  ${responsible.padEnd(widths[1] ?? 0)}  `;
        const indent = " ".repeat(4 + (widths[0] ?? 0) + 2 + (widths[1] ?? 0) + 2);
        lines.push((state === "later" ? pc.dim(row.trimEnd()) : `${row}${shown(first)}`).trimEnd());
        lines.push(...rest.map((line) => `${indent}${shown(line)}`));
    }
    if (fault !== undefined) {
        const on = fault.nodes.length === 0 ? "" : ` on ${fault.nodes.join(", ")}`;
        lines.push("", `${pc.bold("Responsible:")} ${fault.responsible}${on}`);
        for (const { who, lines: said } of fault.said) {
            lines.push("", pc.bold(`Last said by ${who}:`), ...said.map((line) => `  ${shown(line)}`));
        }
        if (fault.next.length > 0) {
            lines.push("", pc.bold("Next:"), ...renderNext(fault.next, command));
        }
    }
    return lines.join("\n");
}

function renderNext(next: readonly Next[], command: (name: string, ...words: string[]) => string): string[] {
    const seen = new Map(next.map(({ command: name, words, why }) => [command(name, ...words.map(quoted)), why]));
    return [...seen].map(([line, why]) => `  ${line}  ${pc.dim(`# ${why}`)}`);
}

/** A word as a shell needs it. */
function quoted(word: string): string {
    return /[\s*$'"[\]{}();|&<>?]/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : word;
}

/** A line that a terminal can show whatever is in it. */
function shown(text: string): string {
    const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
    return plain.length > WIDTH ? `${plain.slice(0, WIDTH - 1)}…` : plain;
}
