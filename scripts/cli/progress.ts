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

/**
 * A reporter that writes one line for each resource that changed, when it is done, with its seconds; its log lines below it
 * when it failed, or as they come with `verbose`.
 *
 * @param write takes one line without its end.
 */
export function progressReporter(
    write: (line: string) => void = (line) => console.log(line),
    { verbose = false }: { readonly verbose?: boolean } = {},
): (event: EngineEvent) => void {
    return (event) => {
        const { kind, operation, name, type, seconds, diffKeys = [], message = "" } = event;
        const shortType = type
            .split(":")
            .filter((_, index) => index !== 1)
            .join(":");
        const subject = `${name} ${colors.dim(shortType)}`;
        switch (kind) {
            case "start":
                return;
            case "log":
                if (verbose) {
                    write(`  ${colors.dim(`${name}: ${message}`)}`);
                }
                return;
            case "failed":
                write(`${colors.red("✗")} ${subject} failed after ${duration(seconds)}`);
                return;
            case "done":
                if (operation !== "same") {
                    const keys = diffKeys.length > 0 ? ` [${diffKeys.join(", ")}]` : "";
                    write(`${SIGNS[operation]} ${subject} ${DONE[operation]} in ${duration(seconds)}${keys}`);
                }
                return;
        }
    };
}

/** `3 created, 1 updated, 40 unchanged in 5.2s` */
export function summaryLine(summary: Summary): string {
    const counts: readonly (readonly [number, string])[] = [
        [summary.created, "created"],
        [summary.updated, "updated"],
        [summary.replaced, "replaced"],
        [summary.deleted, "deleted"],
        [summary.same, "unchanged"],
    ];
    const shown = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    return `${shown.length > 0 ? shown.join(", ") : "nothing to do"} in ${duration(summary.seconds)}`;
}

function duration(seconds: number): string {
    return seconds < 60 ? `${seconds.toFixed(1)}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
