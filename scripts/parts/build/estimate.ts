/** Seconds of one core that things take, by their names: what they cost on one machine is their share on another. */
export type Costs = Readonly<Record<string, number>>;

/** Says how long things that run one after another still take: by what they cost, and how fast those before them were here. */
export class Estimate {
    private readonly left: Map<string, number>;
    private readonly done = { cost: 0, seconds: 0 };
    private current: { readonly name: string; readonly since: number } | undefined;

    /**
     * @param cores how many of them work at a time.
     * @param now milliseconds since any one time.
     */
    constructor(
        costs: Costs,
        private readonly cores: number,
        private readonly now: () => number = () => performance.now(),
    ) {
        this.left = new Map(Object.entries(costs));
    }

    begin(name: string): void {
        this.current = { name, since: this.now() };
    }

    /** @param kept that it was there already, which says nothing about this machine. */
    finish(name: string, kept: boolean): void {
        if (!kept && this.current?.name === name) {
            this.done.cost += this.left.get(name) ?? 0;
            this.done.seconds += this.elapsed();
        }
        this.left.delete(name);
        this.current = undefined;
    }

    /** Seconds; undefined where nothing is left that has a cost. */
    remaining(): number | undefined {
        const rate = this.done.cost > 0 ? this.done.seconds / this.done.cost : 1 / this.cores;
        const own = (this.left.get(this.current?.name ?? "") ?? 0) * rate;
        const all = [...this.left.values()].reduce((sum, cost) => sum + cost * rate, 0);
        // What is later than it was to be is taken to be near its end.
        return all === 0 ? undefined : all - own + Math.max(own - this.elapsed(), own / 10);
    }

    private elapsed(): number {
        return this.current === undefined ? 0 : (this.now() - this.current.since) / 1000;
    }
}

/** `about 4 min left`, `less than a minute left` */
export function renderRemaining(seconds: number): string {
    return seconds < 50 ? "less than a minute left" : `about ${Math.max(1, Math.round(seconds / 60))} min left`;
}
