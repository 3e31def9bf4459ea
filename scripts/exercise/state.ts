import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../support/errors";
import type { Stack } from "../cli/stack";

/** The exercise that a lab is in. */
export interface Running {
    readonly name: string;
    /** `starting` until the symptom has been seen: what was interrupted there can only be undone. */
    readonly phase: "starting" | "running" | "mended";
    /** How many hints were given. */
    readonly hints: number;
}

interface Kept {
    readonly running?: Running;
    /** Names of the exercises that a check has passed in this stack. */
    readonly solved: readonly string[];
}

/** What is known of a stack's exercises, in `.kubelab/<stack>/exercise.json`. */
export class ExerciseState {
    private readonly file: string;

    constructor(private readonly stack: Stack) {
        this.file = join(stack.directory, "exercise.json");
    }

    get running(): Running | undefined {
        return this.read().running;
    }

    get solved(): readonly string[] {
        return this.read().solved;
    }

    /** @throws UserError while there is an exercise. */
    requireNone(): void {
        const { running } = this.read();
        if (running !== undefined) {
            throw new UserError(
                `The exercise "${running.name}" is in the lab: '${this.stack.command("exercise", "undo")}' ends it.`,
            );
        }
    }

    /** Before anything is changed. @throws UserError while there is an exercise. */
    begin(name: string): void {
        this.requireNone();
        this.write({ ...this.read(), running: { name, phase: "starting", hints: 0 } });
    }

    /** @throws UserError unless an exercise runs whose symptom has been seen. */
    requireRunning(): Running {
        const { running } = this.read();
        if (running === undefined) {
            throw new UserError(`No exercise is in the lab: '${this.stack.command("exercise", "--list")}' has them.`);
        }
        if (running.phase === "starting") {
            throw new UserError(
                `The start of the exercise "${running.name}" was cut short: ` +
                    `'${this.stack.command("exercise", "undo")}' puts the lab back.`,
            );
        }
        return running;
    }

    /** The symptom has been seen. */
    appeared(): void {
        this.change({ phase: "running" });
    }

    /** A check has passed. */
    mended(): void {
        const { running, solved } = this.read();
        if (running !== undefined) {
            this.write({
                running: { ...running, phase: "mended" },
                solved: [...new Set([...solved, running.name])].sort(),
            });
        }
    }

    /** @returns the number of the hint that is due, from 1 to `most`; the last one again after that. */
    nextHint(most: number): number {
        const hints = Math.min(this.requireRunning().hints + 1, most);
        this.change({ hints });
        return hints;
    }

    /** The lab is as it was, or gone. What was solved stays. */
    end(): void {
        if (existsSync(this.file)) {
            this.write({ solved: this.read().solved });
        }
    }

    private change(changes: Partial<Running>): void {
        const kept = this.read();
        if (kept.running !== undefined) {
            this.write({ ...kept, running: { ...kept.running, ...changes } });
        }
    }

    private read(): Kept {
        return existsSync(this.file) ? (JSON.parse(readFileSync(this.file, "utf8")) as Kept) : { solved: [] };
    }

    private write(kept: Kept): void {
        mkdirSync(this.stack.directory, { recursive: true, mode: 0o700 });
        writeFileSync(`${this.file}.new`, `${JSON.stringify(kept, undefined, 2)}\n`, { mode: 0o600 });
        renameSync(`${this.file}.new`, this.file);
    }
}
