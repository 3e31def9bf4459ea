/** The least and the middle of a measure over several runs. */
export interface Spread {
    readonly minimum: number;
    readonly median: number;
    readonly maximum: number;
}

/** @throws RangeError where there is nothing to take it of. */
export function spread(values: readonly number[]): Spread {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length / 2;
    const upper = sorted[Math.floor(middle)];
    const lower = sorted[Math.ceil(middle) - 1];
    const [minimum] = sorted;
    const maximum = sorted.at(-1);
    if (minimum === undefined || maximum === undefined || upper === undefined || lower === undefined) {
        throw new RangeError("no values");
    }
    return { minimum, median: (lower + upper) / 2, maximum };
}

/** NaN where there is nothing to take it of. */
export function meanOf(values: readonly number[]): number {
    return values.reduce((sum, value) => sum + value, 0) / values.length;
}
