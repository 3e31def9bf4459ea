import { statSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../../scripts/cli/stack";
import { ExerciseState } from "../../../scripts/exercise/state";
import { temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

let number = 0;
const newStack = (): Stack => new Stack(directory.path, `stack-${++number}`);

test("nothing is known at first, and nothing can be done", () => {
    const state = new ExerciseState(newStack());
    expect(state.running).toBeUndefined();
    expect(state.solved).toEqual([]);
    expect(() => state.requireRunning()).toThrow(/No exercise is in the lab/);
    state.end();
    expect(state.running).toBeUndefined();
});

test("one exercise is in a lab at a time, whichever terminal asks", () => {
    const stack = newStack();
    new ExerciseState(stack).begin("islands");
    expect(() => new ExerciseState(stack).begin("nameless")).toThrow(/"islands" is in the lab.*exercise.*undo/);
    expect((statSync(join(stack.directory, "exercise.json")).mode & 0o777).toString(8)).toBe("600");
});

test("a start that was cut short can only be undone", () => {
    const state = new ExerciseState(newStack());
    state.begin("islands");
    expect(() => state.requireRunning()).toThrow(/cut short.*undo/);
    expect(() => state.nextHint(3)).toThrow(/cut short/);
    state.end();
    state.begin("islands");
    state.appeared();
    expect(state.requireRunning()).toEqual({ name: "islands", phase: "running", hints: 0 });
});

test("hints come one after the other, and the last one again", () => {
    const stack = newStack();
    const state = new ExerciseState(stack);
    state.begin("islands");
    state.appeared();
    expect([1, 2, 3, 4].map(() => new ExerciseState(stack).nextHint(3))).toEqual([1, 2, 3, 3]);
});

test("what was solved stays when the exercise ends, each once", () => {
    const state = new ExerciseState(newStack());
    for (const name of ["nameless", "islands", "nameless"]) {
        state.begin(name);
        state.appeared();
        state.mended();
        expect(state.requireRunning().phase).toBe("mended");
        state.end();
    }
    expect(state.solved).toEqual(["islands", "nameless"]);
    expect(state.running).toBeUndefined();
});
