/** `missing`: a lab can't come up without it. `warning`: it may not. */
export type State = "ok" | "missing" | "warning" | "info";

/** What was found about one prerequisite. */
export interface Check {
    readonly name: string;
    readonly state: State;
    readonly detail: string;
    /** The remedy, if any: a command where one is enough. */
    readonly remedy?: string;
    /** Debian and Ubuntu packages that are the remedy. */
    readonly packages?: readonly string[];
}

export const GIB = 1024 ** 3;

/** e.g. `1.5 GiB` */
export function gib(bytes: number): string {
    return `${(bytes / GIB).toFixed(1)} GiB`;
}
