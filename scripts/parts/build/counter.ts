/** Prints each finished item with a count and the seconds since the start: `[ 3/32]  41 s  bin/etcd`. */
export class Counter {
    private finished = 0;
    private readonly start = Date.now();

    constructor(
        private readonly total: number,
        private readonly progress: (line: string) => void,
    ) {}

    /** An item is finished. */
    done(what: string): void {
        this.finished += 1;
        this.line(what);
    }

    /** Prints a note about work in progress. */
    note(what: string): void {
        this.line(`${what} …`);
    }

    private line(text: string): void {
        const width = String(this.total).length;
        const seconds = String(Math.round((Date.now() - this.start) / 1000)).padStart(4);
        this.progress(`[${String(this.finished).padStart(width)}/${this.total}] ${seconds} s  ${text}`);
    }
}
