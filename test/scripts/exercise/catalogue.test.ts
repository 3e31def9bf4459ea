import { readFileSync } from "node:fs";
import { join } from "node:path";
import { wordsOf } from "../../../scripts/support/words";
import { program } from "../../../scripts/cli/program";
import { exercisesPage } from "../../../scripts/docs/exercises-page";
import {
    catalogue,
    type Exercise,
    exerciseNamed,
    scriptOf,
    VERBS,
    workloadOf,
} from "../../../scripts/exercise/exercise";
import { factsOf, filled } from "../../../scripts/exercise/scene";
import { syntaxErrors } from "../../support/bash";
import { scene } from "../../support/exercise-scene";

const EXERCISES = catalogue();
const each = EXERCISES.map((exercise) => [exercise.name, exercise] as const);
const facts = factsOf(scene());

test("there are many, and each is found by its name", () => {
    expect(EXERCISES.length).toBeGreaterThanOrEqual(7);
    EXERCISES.forEach((exercise) => expect(exerciseNamed(exercise.name)).toEqual(exercise));
    expect(() => exerciseNamed("../catalogue/half-the-answers")).toThrow(/There is no exercise/);
});

test("none is named as what is done with one", () => {
    expect(EXERCISES.filter(({ name }) => VERBS.some((verb) => verb === name))).toEqual([]);
});

test.each(each)("%s doesn't tell its cause in name, topic, title, symptom and first hint", (_, exercise) => {
    const { name, topic, title, symptom, causes, hints } = exercise;
    const told = [name.replaceAll("-", " "), topic, title, symptom].join("\n").toLowerCase();
    expect(causes.filter((word) => new RegExp(`\\b${word}s?\\b`).test(told))).toEqual([]);
    expect(new Set(hints).size).toBe(3);
});

test.each(each)("the placeholders of %s are facts of labs, and its title has none", (_, exercise) => {
    const texts = [exercise.symptom, ...exercise.hints, ...exercise.solution.flatMap(({ why, run }) => [why, run])];
    for (const text of [...texts, workloadOf(exercise)]) {
        expect(filled(text, facts)).not.toMatch(/\{[a-z-]+\}/);
    }
    expect(exercise.title).not.toContain("{");
});

test.each(each)("the solution of %s is commands of scripts/lab", (_, exercise: Exercise) => {
    const known = program().commands.map((command) => command.name());
    for (const { run } of exercise.solution) {
        expect(known).toContain(wordsOf(run)[0]);
        expect(run).not.toContain("\n");
    }
});

test("all scripts are bash, with the three functions that are called", () => {
    const scripts = Object.fromEntries(
        EXERCISES.flatMap((exercise) => [
            [`${exercise.name} fault`, scriptOf(exercise, "fault.sh")],
            [`${exercise.name} check`, scriptOf(exercise, "check.sh")],
        ]),
    );
    expect(syntaxErrors(scripts)).toEqual({});
    EXERCISES.forEach((exercise) => {
        expect(scriptOf(exercise, "fault.sh")).toMatch(/^inject\(\) \{$[^]*^undo\(\) \{$/m);
        expect(scriptOf(exercise, "check.sh")).toMatch(/\bstill\b|\brolled_out\b/);
    });
});

test("docs/exercises.md lists them all", () => {
    const page = readFileSync(join(__dirname, "../../../docs/exercises.md"), "utf8");
    expect(exercisesPage(page)).toBe(page);
});
