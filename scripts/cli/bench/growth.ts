import type { BenchLab } from "./lab";
import { meanOf } from "./numbers";
import { SshCounter } from "./ssh-counter";

/** A lab brought up from nothing with a number of workers. */
export interface Size {
    readonly workers: number;
    /** Commands run, here and on machines. */
    readonly steps: number;
    /** Bytes sent to each worker's SSH server, in packets as they went over the wire. */
    readonly bytesPerWorker: readonly number[];
    readonly seconds: number;
}

export interface Growth {
    readonly sizes: readonly Size[];
    /** Steps that one worker adds, from each size to the next. */
    readonly stepsPerWorker: readonly number[];
    /** Mean of the bytes per worker, for each size that has workers. */
    readonly bytesPerWorker: readonly number[];
}

/** Brings the lab up with each number of workers, parts pushed over SSH, and takes it down again. */
export async function measureGrowth(
    lab: BenchLab,
    network: string,
    counts: readonly number[],
    report: (size: Size) => void,
): Promise<Growth> {
    const sizes: Size[] = [];
    for (const workers of counts) {
        const counter = new SshCounter(lab.stack.name, network);
        try {
            const { steps, wallSeconds: seconds } = await lab.up({ workers, local: { preloadParts: false } });
            const bytes = counter.bytes();
            const nodes = lab.stack.outputs().nodes.filter(({ role }) => role === "worker");
            const size = {
                workers,
                steps,
                bytesPerWorker: nodes.map(({ address }) => bytes.get(address) ?? 0),
                seconds,
            };
            sizes.push(size);
            report(size);
        } finally {
            counter.remove();
        }
        await lab.down();
    }
    return growthOf(sizes);
}

/** What each worker adds, from sizes in ascending order. */
export function growthOf(sizes: readonly Size[]): Growth {
    const stepsPerWorker = sizes.slice(1).map((size, index) => {
        const before = sizes[index] ?? size;
        return (size.steps - before.steps) / (size.workers - before.workers);
    });
    const bytesPerWorker = sizes
        .filter(({ bytesPerWorker: all }) => all.length > 0)
        .map(({ bytesPerWorker: all }) => Math.round(meanOf(all)));
    return { sizes, stepsPerWorker, bytesPerWorker };
}
