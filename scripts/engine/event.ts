export type Operation = "create" | "update" | "replace" | "delete" | "same";

/** One thing that happened to one resource. */
export interface EngineEvent {
    readonly kind: "start" | "done" | "failed" | "log" | "warning";
    readonly operation: Operation;
    readonly urn: string;
    readonly name: string;
    readonly type: string;
    /** Seconds since the operation started; 0 in a `start`. */
    readonly seconds: number;
    /** Inputs that differ from the last run's. */
    readonly diffKeys?: readonly string[];
    /** The line of a `log` or `warning`. */
    readonly message?: string;
}

/** What a run did with its resources, and how long it took. */
export interface Summary {
    readonly created: number;
    readonly updated: number;
    readonly replaced: number;
    readonly deleted: number;
    readonly same: number;
    /** Seconds from start to end. */
    readonly seconds: number;
}
