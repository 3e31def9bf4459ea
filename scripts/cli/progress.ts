import colors from "picocolors";
import type { EngineEvent, Operation, Summary } from "../engine/event";

const SIGNS: Readonly<Record<Operation, string>> = {
    create: colors.green("+"),
    update: colors.yellow("~"),
    replace: colors.magenta("±"),
    delete: colors.red("-"),
    same: " ",
};

const DONE: Readonly<Record<Operation, string>> = {
    create: "created",
    update: "updated",
    replace: "replaced",
    delete: "deleted",
    same: "unchanged",
};

/** The same of a preview. */
const PLANNED: typeof DONE = {
    create: "to create",
    update: "to update",
    replace: "to replace",
    delete: "to delete",
    same: "unchanged",
};

export interface ProgressOptions {
    /** Nothing is done: the events say what would be. */
    readonly preview?: boolean;
    /** Show every resource and its log lines. */
    readonly verbose?: boolean;
    /** Takes one line without its end. */
    readonly write?: (line: string) => void;
}

/**
 * Writes one line for each resource that changed, when it is done, with its seconds. Components have no work of their own and keys
 * and certificates are many, so they are counted, unless one of them fails.
 */
export class Progress {
    private readonly counted = new Map<Operation, number>();
    private readonly verbose: boolean;
    private readonly preview: boolean;
    private readonly write: (line: string) => void;

    constructor({ preview = false, verbose = false, write = (line) => console.log(line) }: ProgressOptions = {}) {
        this.preview = preview;
        this.verbose = verbose;
        this.write = write;
    }

    readonly report = (event: EngineEvent): void => {
        const { kind, operation, name, type, seconds, diffKeys = [], message = "" } = event;
        if (kind === "done" && !this.verbose && isCounted(type)) {
            this.counted.set(operation, (this.counted.get(operation) ?? 0) + 1);
            return;
        }
        const shortType = type
            .split(":")
            .filter((_, index) => index !== 1)
            .join(":");
        const subject = `${name} ${colors.dim(shortType)}`;
        switch (kind) {
            case "start":
                return;
            case "log":
                if (this.verbose) {
                    this.write(`  ${colors.dim(`${name}: ${message}`)}`);
                }
                return;
            case "warning":
                this.write(`${colors.yellow("!")} ${message}`);
                return;
            case "failed":
                this.write(`${colors.red("✗")} ${subject} failed after ${duration(seconds)}`);
                return;
            case "done":
                if (operation !== "same" && (this.verbose || !isComponent(type))) {
                    const keys = diffKeys.length > 0 ? ` [${diffKeys.join(", ")}]` : "";
                    const what = this.preview ? PLANNED[operation] : `${DONE[operation]} in ${duration(seconds)}`;
                    this.write(`${SIGNS[operation]} ${subject} ${what}${keys}`);
                }
                return;
        }
    };

    /** The counts, at the end of a run. */
    finish(): void {
        for (const [operation, count] of this.counted) {
            if (operation !== "same") {
                const words = this.preview ? PLANNED : DONE;
                this.write(`${SIGNS[operation]} ${count} keys and certificates ${words[operation]}`);
            }
        }
        this.counted.clear();
    }
}

function isCounted(type: string): boolean {
    return /^(tls|random):/.test(type);
}

/** Of this program's own components; the engine counts them, but nothing is done for them. */
function isComponent(type: string): boolean {
    return type.startsWith("kubelab:");
}

/** `3 created, 1 updated, 40 unchanged in 5.2s`, or `no changes to 153 resources in 2.9s`; of a preview `3 to create, …` */
export function summaryLine(summary: Summary, preview = false): string {
    const words = preview ? PLANNED : DONE;
    const changed = summary.created + summary.updated + summary.replaced + summary.deleted > 0;
    if (!changed) {
        const resources = summary.same > 0 ? ` to ${summary.same} resources` : "";
        return `no changes${resources} in ${duration(summary.seconds)}`;
    }
    const counts: readonly (readonly [number, string])[] = [
        [summary.created, words.create],
        [summary.updated, words.update],
        [summary.replaced, words.replace],
        [summary.deleted, words.delete],
        [summary.same, words.same],
    ];
    const shown = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    return `${shown.join(", ")} in ${duration(summary.seconds)}`;
}

function duration(seconds: number): string {
    return seconds < 60 ? `${seconds.toFixed(1)}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
