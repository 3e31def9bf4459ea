import pc from "picocolors";
import { catalogue, type Exercise, exerciseNamed } from "../exercise/exercise";
import { renderHint, renderList, renderSymptom, solutionOf } from "../exercise/render";
import { lacks, type Scene } from "../exercise/scene";
import { Stage } from "../exercise/stage";
import { ExerciseState } from "../exercise/state";
import { driverOf, readMachine } from "../machines/records";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import type { ClusterAccess } from "./cluster-access";
import { localLab } from "./differences";
import { openCluster } from "./open-cluster";
import { repair } from "./repair";
import { runInTerminal } from "./run";
import { requireSpec } from "./spec-of-stack";
import type { Stack } from "./stack";
import { clusterStatus, isHealthy, isHealthyNode } from "./status";
import { settled } from "./stopped-machines";

export interface ExerciseOptions {
    readonly list?: boolean;
    readonly random?: boolean;
    /** With `solve`: also run the commands. */
    readonly run?: boolean;
}

/** Seconds for what follows an undo by itself: a node that turns Ready, a process that starts. */
const SETTLE_SECONDS = 60;

/**
 * Faults to be found: `what` is the name of one, or what to do about the one that is in the lab.
 *
 * @returns the exit code; 1 where a check still sees the symptom.
 * @throws UserError for a name that isn't there, a lab that isn't well, and an order in which things can't be done.
 */
export async function exercise(stack: Stack, what: string | undefined, options: ExerciseOptions): Promise<number> {
    if (options.list === true) {
        const scene = stack.isUp() ? sceneOf(stack) : undefined;
        console.log(renderList(catalogue(), new ExerciseState(stack).solved, scene));
        return 0;
    }
    if (options.random === true && what !== undefined) {
        throw new UserError(`--random chooses an exercise, and "${what}" names one.`);
    }
    const cluster = await openCluster(stack);
    const scene = sceneOf(stack);
    const room = { stack, cluster, scene, stage: new Stage(cluster, scene), state: new ExerciseState(stack) };
    switch (what) {
        case "hint":
            return hint(room);
        case "check":
            return check(room);
        case "solve":
            return solve(room, options.run ?? false);
        case "undo":
            return undo(room);
        case undefined:
            return options.random === true ? start(room, atRandom(room)) : remind(room);
        default:
            return start(room, exerciseNamed(what));
    }
}

interface Room {
    readonly stack: Stack;
    readonly cluster: ClusterAccess;
    readonly scene: Scene;
    readonly stage: Stage;
    readonly state: ExerciseState;
}

/** The lab of a stack that is up, as exercises see it. */
export function sceneOf(stack: Stack): Scene {
    const outputs = stack.outputs();
    const lab = localLab(stack);
    const worker = outputs.nodes.find(({ role }) => role === "worker");
    const record = lab === undefined || worker === undefined ? undefined : readMachine(lab, worker.name);
    const machines = record === undefined ? undefined : driverOf(record) === "qemu" ? "virtual" : "container";
    return { outputs, spec: requireSpec(stack), machines };
}

/** One that this lab can have, if possible one that wasn't solved yet. */
function atRandom({ scene, state }: Room): Exercise {
    const possible = catalogue().filter(({ needs }) => lacks(scene, needs).length === 0);
    const fresh = possible.filter(({ name }) => !state.solved.includes(name));
    const among = fresh.length > 0 ? fresh : possible;
    const chosen = among[Math.floor(Math.random() * among.length)];
    if (chosen === undefined) {
        throw new UserError("This lab has what no exercise needs: `exercise --list` says what they need.");
    }
    return chosen;
}

async function start({ stack, cluster, scene, stage, state }: Room, chosen: Exercise): Promise<number> {
    const missing = lacks(scene, chosen.needs);
    if (missing.length > 0) {
        throw new UserError(`The exercise "${chosen.name}" needs ${missing.join(", ")}, which this lab hasn't.`);
    }
    state.requireNone();
    const display = new Display();
    try {
        display.begin(chosen.name);
        display.progress("looking whether the lab is well");
        if (!isHealthy(await clusterStatus(cluster))) {
            throw new UserError(
                `The lab isn't well, so nobody could tell its faults from the exercise's: see '${stack.command("status")}'; ` +
                    `'${stack.command("repair")}' mends it.`,
            );
        }
        state.begin(chosen.name);
        display.progress("starting what the exercise needs");
        await stage.prepare(chosen);
        const before = await stage.until(true, chosen);
        if (!before.gone) {
            throw new Error(`Before anything was broken, the check of "${chosen.name}" says: ${before.seen}`);
        }
        display.progress("breaking something");
        await stage.inject(chosen);
        display.progress("waiting until somebody notices");
        if ((await stage.until(false, chosen, chosen.appears)).gone) {
            throw new Error(`${chosen.appears} s after the fault, the check of "${chosen.name}" sees nothing of it.`);
        }
        state.appeared();
    } catch (error) {
        if (state.running?.phase === "starting" && !(error instanceof UserError)) {
            const text = error instanceof Error ? error.message : String(error);
            throw new UserError(`${text}\n'${stack.command("exercise", "undo")}' puts the lab back.`);
        }
        throw error;
    } finally {
        display.end();
    }
    console.log(renderSymptom(chosen, stage.facts, stack));
    return 0;
}

/** The symptom again. */
function remind({ stack, stage, state }: Room): number {
    console.log(renderSymptom(exerciseNamed(state.requireRunning().name), stage.facts, stack));
    return 0;
}

function hint({ stage, state }: Room): number {
    const running = exerciseNamed(state.requireRunning().name);
    console.log(renderHint(running, state.nextHint(running.hints.length), stage.facts));
    return 0;
}

async function check({ stack, stage, state }: Room): Promise<number> {
    const { gone, seen } = await stage.observe(exerciseNamed(state.requireRunning().name));
    if (!gone) {
        console.log(`${pc.red("✗")} still there: ${seen}`);
        return 1;
    }
    state.mended();
    console.log(`${pc.green("✓")} the symptom is gone`);
    console.log(`  '${stack.command("exercise", "undo")}' removes what is left, and puts the lab back as it was.`);
    return 0;
}

async function solve(room: Room, run: boolean): Promise<number> {
    const { stack, stage, state } = room;
    const steps = solutionOf(exerciseNamed(state.requireRunning().name), stage.facts, stack);
    for (const { why, command } of steps) {
        console.log(`${pc.dim(why.replace(/^/gm, "# "))}\n${command}\n`);
        if (run) {
            const code = await runInTerminal(["bash", "-c", command], { cwd: stack.repository });
            if (code !== 0) {
                throw new UserError(`That ended with ${code}: ${command}`);
            }
            console.log("");
        }
    }
    if (run) {
        await stage.until(true, exerciseNamed(state.requireRunning().name), SETTLE_SECONDS);
        return check(room);
    }
    console.log(pc.dim(`${stack.command("exercise", "check")}   # whether the symptom is gone`));
    return 0;
}

async function undo({ stack, cluster, stage, state }: Room): Promise<number> {
    const { running } = state;
    if (running === undefined) {
        console.log("no exercise is in the lab: nothing to undo");
        return 0;
    }
    const display = new Display();
    try {
        display.begin(running.name);
        display.progress("taking the fault out");
        await stage.undo(exerciseNamed(running.name)).catch((error: unknown) => {
            // The repair below has what it couldn't do.
            display.line(pc.yellow(error instanceof Error ? error.message : String(error)));
        });
        display.progress("waiting until the lab is well");
        const unwell = async (): Promise<boolean> => !isHealthy(await clusterStatus(cluster));
        await settled(SETTLE_SECONDS, unwell);
    } finally {
        display.end();
    }
    const { nodes } = await clusterStatus(cluster);
    const changed = nodes.filter((node) => !isHealthyNode(node)).map(({ name }) => name);
    if (changed.length > 0) {
        console.log(`Still other than \`up\` left it: ${changed.join(", ")}. Repairing that.`);
        if (!(await repair(stack, changed, false))) {
            throw new UserError(`The lab isn't as it was: see '${stack.command("status")}'. The exercise stays open.`);
        }
    }
    await stage.removeNamespace();
    state.end();
    console.log(`${pc.green("✓")} the lab is as it was before the exercise "${running.name}"`);
    return 0;
}
