import pc from "picocolors";
import type { Stack } from "../cli/stack";
import { renderTable } from "../cli/table";
import { type Exercise, VERBS } from "./exercise";
import { filled, lacks, type Scene } from "./scene";

/** A text with commands as they are typed here: `scripts/lab ssh --stack cni worker-1`. */
function typed(stack: Stack, text: string): string {
    return text.replace(/scripts\/lab ([a-z]+)/g, (_, command: string) => stack.command(command));
}

/** All exercises; what this lab lacks for one is in the last column. `scene` is undefined while the lab is down. */
export function renderList(
    exercises: readonly Exercise[],
    solved: readonly string[],
    scene: Scene | undefined,
): string {
    const rows = exercises.map((exercise) => {
        const missing = scene === undefined ? [] : lacks(scene, exercise.needs);
        return [
            solved.includes(exercise.name) ? "✓" : "",
            exercise.name,
            exercise.topic,
            "*".repeat(exercise.difficulty),
            exercise.title,
            missing.length === 0 ? "" : `needs ${missing.join(", ")}`,
        ];
    });
    return renderTable(["", "NAME", "TOPIC", "LEVEL", "TITLE", ""], rows);
}

/** What an exercise says, with this lab's names, and commands as they are typed here. */
function said(text: string, facts: Readonly<Record<string, string>>, stack: Stack): string {
    return indented(typed(stack, filled(text, facts)));
}

export function renderSymptom(exercise: Exercise, facts: Readonly<Record<string, string>>, stack: Stack): string {
    return [
        `${pc.bold(filled(exercise.title, facts))}  ${pc.dim(`(${exercise.name})`)}`,
        "",
        said(exercise.symptom, facts, stack),
        "",
        pc.dim(VERBS.map((word) => stack.command("exercise", word)).join("\n")),
    ].join("\n");
}

export function renderHint(exercise: Exercise, number: number, facts: Readonly<Record<string, string>>): string {
    const hint = filled(exercise.hints[number - 1] ?? "", facts);
    return `Hint ${number} of ${exercise.hints.length}:\n${indented(hint)}`;
}

/** The steps of the documented way: what and why, and the command as it is typed. */
export function solutionOf(
    exercise: Exercise,
    facts: Readonly<Record<string, string>>,
    stack: Stack,
): { readonly why: string; readonly command: string }[] {
    return exercise.solution.map(({ why, run }) => ({
        why: filled(why, facts).trim(),
        command: typed(stack, `scripts/lab ${filled(run, facts).trim()}`),
    }));
}

export function indented(text: string): string {
    return text
        .trim()
        .split("\n")
        .map((line) => `  ${line}`.trimEnd())
        .join("\n");
}
