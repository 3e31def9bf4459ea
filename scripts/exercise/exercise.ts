import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { UserError } from "../support/errors";
import { repositoryRoot } from "../support/paths";

/** Where a fault is put: on machines, as root; or on the workstation, by kubectl. */
export const PLACES = [
    "workstation",
    "control-plane",
    "other-control-plane",
    "worker",
    "other-worker",
    "workers",
] as const;
export type Place = (typeof PLACES)[number];

/** What is done with the exercise in the lab: no exercise has such a name. */
export const VERBS = ["hint", "check", "solve", "undo"] as const;

/** What a lab has to have; a number is the least. */
const NEEDS = z.strictObject({
    controlPlanes: z.number().optional(),
    workers: z.number().optional(),
    /** One of these pod networks, as `podNetwork` of the stack's outputs names them. */
    network: z.array(z.enum(["kubenet", "kube-router", "flannel", "bridge"])).optional(),
    hosting: z.enum(["systemd", "static-pods"]).optional(),
    serviceProxy: z.enum(["kube-proxy"]).optional(),
    /** What makes the machines of workers. */
    machines: z.enum(["container", "virtual"]).optional(),
});

/** One file exercise.yaml. Texts and commands have placeholders: {worker}, {namespace} …, see scene.ts. */
const EXERCISE = z.strictObject({
    title: z.string(),
    topic: z.string(),
    /** 1: an object or a unit tells; 2: one layer below; 3: several things look well. */
    difficulty: z.union([z.literal(1), z.literal(2), z.literal(3)]),
    needs: NEEDS.default({}),
    on: z.enum(PLACES).default("workstation"),
    /** Names of files in `workloads`, which are applied in the exercise's namespace. */
    workload: z.array(z.string()).default([]),
    /** Deployments that are rolled out again once the fault is in: it shows in new pods. */
    restart: z.array(z.string()).default([]),
    /** Words that would give the cause away: not in name, title and symptom. */
    causes: z.array(z.string()).min(1),
    /** As somebody who doesn't know the cause reports it. */
    symptom: z.string(),
    hints: z.array(z.string()).length(3),
    /** The documented way: commands of scripts/lab, without `scripts/lab` and `--stack`. */
    solution: z.array(z.strictObject({ why: z.string(), run: z.string() })).min(1),
    /** Seconds until the symptom has to be there. */
    appears: z.number().default(60),
});

export type Needs = z.output<typeof NEEDS>;

export interface Exercise extends z.output<typeof EXERCISE> {
    readonly name: string;
    /** Has exercise.yaml, fault.sh with `inject` and `undo`, and check.sh. */
    readonly directory: string;
}

const ROOT = join(repositoryRoot(), "scripts/exercise");

/** All exercises: easy ones first, then by name. */
export function catalogue(): Exercise[] {
    const directory = join(ROOT, "catalogue");
    return readdirSync(directory)
        .map((name) => readExercise(join(directory, name), name))
        .sort((a, b) => a.difficulty - b.difficulty || (a.name < b.name ? -1 : 1));
}

function readExercise(directory: string, name: string): Exercise {
    const file = join(directory, "exercise.yaml");
    const { success, data, error } = EXERCISE.safeParse(parse(readFileSync(file, "utf8")));
    if (!success) {
        throw new Error(`${file}: ${z.prettifyError(error)}`);
    }
    return { ...data, name, directory };
}

/** @throws UserError where there is none of this name. */
export function exerciseNamed(name: string): Exercise {
    const found = /^[a-z-]+$/.test(name) && existsSync(join(ROOT, "catalogue", name, "exercise.yaml"));
    if (!found) {
        throw new UserError(`There is no exercise "${name}": \`exercise --list\` has the names.`);
    }
    return readExercise(join(ROOT, "catalogue", name), name);
}

/** A script of an exercise, after the functions that all of its kind have. */
export function scriptOf(exercise: Exercise, file: "fault.sh" | "check.sh"): string {
    const library = readFileSync(join(ROOT, file === "fault.sh" ? "fault-library.sh" : "check-library.sh"), "utf8");
    return `${library}\n${readFileSync(join(exercise.directory, file), "utf8")}`;
}

/** The manifests that the exercise needs, with placeholders. */
export function workloadOf(exercise: Exercise): string {
    return exercise.workload.map((name) => readFileSync(join(ROOT, "workloads", `${name}.yaml`), "utf8")).join("---\n");
}
