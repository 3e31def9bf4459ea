import type { Progress } from "../../support/progress";
import { type Estimate, renderRemaining } from "./estimate";

/** Prints each finished item with a count and the seconds since the start: `[ 3/32]  41 s  bin/etcd`. */
export class Counter {
    private finished = 0;
    private readonly start = Date.now();

    /** @param estimate of the time that is left, where there is one. */
    constructor(
        private readonly total: number,
        private readonly progress: Progress,
        readonly estimate?: Estimate,
    ) {}

    /** Items are finished, told in one line. */
    done(what: string, items = 1): void {
        this.finished += items;
        const seconds = String(Math.round((Date.now() - this.start) / 1000)).padStart(4);
        this.progress(`[${this.count()}] ${seconds} s  ${what}`);
    }

    /** Shows work in progress. */
    note(what: string): void {
        const remaining = this.estimate?.remaining();
        const left = remaining === undefined ? "" : `, ${renderRemaining(remaining)}`;
        this.progress.now?.(`[${this.count()}] ${what}${left}`);
    }

    private count(): string {
        return `${String(this.finished).padStart(String(this.total).length)}/${this.total}`;
    }
}
