/** What the page asks of its server, and the answers. `events` sends a Moment of live/lab.ts. */

/** Body of POST path: FROM and TO as `scripts/lab path` takes them. */
export interface PathQuestion {
    readonly from: string;
    readonly to: string;
}

export interface PathAnswer {
    /** What came of the connection: `connected`, `refused` … */
    readonly outcome: string;
    readonly milliseconds: number;
    /** Whether request and answer have come all the way. */
    readonly whole: boolean;
    readonly hops: readonly ShownHop[];
    readonly notes: readonly string[];
}

/** A hop of scripts/path/types.ts, as far as it is shown. */
export interface ShownHop {
    /** Id of the item of the drawing where it happens; none for what is in no drawing. */
    readonly item?: string;
    readonly isReply: boolean;
    /** `worker-1: bridge cbr0` */
    readonly where: string;
    readonly what: string;
    readonly component: string;
    readonly seen: boolean;
    readonly command?: string;
    readonly lost?: { readonly why: string; readonly should: string; readonly remedy?: string };
}

/** A step of the tour: GET tour answers with all of them. */
export interface TourStep {
    readonly step: string;
    readonly added: string;
    readonly looks: readonly { readonly why?: string; readonly command: string }[];
    readonly missing?: string;
}

export interface TourAnswer {
    /** The command that runs the tour. */
    readonly command: string;
    readonly steps: readonly TourStep[];
}

/** An exercise as one may see it who has not solved it. */
export interface ListedExercise {
    readonly name: string;
    readonly title: string;
    readonly topic: string;
    /** From 1 to 3. */
    readonly difficulty: number;
    readonly solved: boolean;
    /** What this lab lacks for it. */
    readonly lacks: readonly string[];
    /** The command that starts it. */
    readonly command: string;
}

export interface ExercisesAnswer {
    readonly exercises: readonly ListedExercise[];
    /** The one that is in the lab. */
    readonly running?: {
        readonly name: string;
        readonly title: string;
        /** `starting`, `running` or `mended`. */
        readonly phase: string;
        readonly symptom: string;
        /** Those that were given. */
        readonly hints: readonly string[];
        readonly hintsLeft: number;
        /** What one can type next. */
        readonly commands: readonly string[];
    };
}
