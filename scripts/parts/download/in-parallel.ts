/**
 * Does the work for all items, at most `limit` at a time. When one fails the signal ends the others, and the failure is thrown
 * once none runs any more.
 */
export async function inParallel<T, R>(
    limit: number,
    items: readonly T[],
    work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
    const controller = new AbortController();
    const waiting = [...items.entries()];
    const results: R[] = [];
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined && failures.length === 0; next = waiting.shift()) {
            const [index, item] = next;
            try {
                results[index] = await work(item, controller.signal);
            } catch (error) {
                failures.push(error);
                controller.abort();
            }
        }
    };
    await Promise.all(Array.from({ length: limit }, worker));
    if (failures.length > 0) {
        throw failures[0];
    }
    return results;
}
