import { sceneOf } from "../cli/exercise";
import type { Stack } from "../cli/stack";
import { catalogue, type Exercise, exerciseNamed } from "../exercise/exercise";
import { factsOf, filled, lacks } from "../exercise/scene";
import { ExerciseState } from "../exercise/state";
import type { ExercisesAnswer } from "./contract";

/** The exercises of a lab, and the one that is in it: without its cause, and with the hints that were given only. */
export function exercisesOf(stack: Stack): ExercisesAnswer {
    const scene = sceneOf(stack);
    const facts = factsOf(scene);
    const state = new ExerciseState(stack);
    const { running, solved } = state;
    const exercises = catalogue().map(({ name, title, topic, difficulty, needs }) => ({
        ...{ name, title: filled(title, facts), topic, difficulty, solved: solved.includes(name) },
        lacks: lacks(scene, needs),
        command: stack.command("exercise", name),
    }));
    if (running === undefined) {
        return { exercises };
    }
    const { title, symptom, hints }: Exercise = exerciseNamed(running.name);
    return {
        exercises,
        running: {
            ...{ name: running.name, title: filled(title, facts), phase: running.phase },
            symptom: filled(symptom, facts),
            hints: hints.slice(0, running.hints).map((hint) => filled(hint, facts)),
            hintsLeft: hints.length - running.hints,
            commands: ["hint", "check", "solve", "undo"].map((word) => stack.command("exercise", word)),
        },
    };
}
