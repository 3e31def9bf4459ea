import { setTimeout as sleep } from "node:timers/promises";
import { NetworkError } from "./request";

export interface Attempts {
    /** Number of failures in a row, without progress, before giving up. */
    readonly attempts: number;
    /** Milliseconds before the second attempt; longer before later ones. */
    readonly pause: number;
    /** Ends the waiting. */
    readonly signal?: AbortSignal | undefined;
}

/**
 * Retries the work when the network failed.
 *
 * @param hasProgressed whether the last attempt got something done, so that it counts as the first.
 * @throws NetworkError of the last attempt; any other error at once.
 */
export async function withAttempts<T>(
    { attempts, pause, signal }: Attempts,
    work: () => Promise<T>,
    hasProgressed: () => boolean = () => false,
): Promise<T> {
    for (let failures = 0; ;) {
        try {
            return await work();
        } catch (error) {
            failures = hasProgressed() ? 1 : failures + 1;
            if (!(error instanceof NetworkError) || failures >= attempts) {
                throw error;
            }
            await sleep(pause * failures, undefined, { signal });
        }
    }
}
