import type { ResourceState } from "./state";

/** URNs that must outlive a resource. */
export function needs(state: ResourceState): readonly string[] {
    const { parent, dependencies, propertyDependencies, deletedWith } = state;
    return [parent, deletedWith, ...dependencies, ...Object.values(propertyDependencies).flat()].filter(
        (urn) => urn !== "" && urn !== state.urn,
    );
}

/** All that depend on `root`, directly or not; its children only if they depend on it. */
export function dependentsOf(root: ResourceState, among: readonly ResourceState[]): readonly ResourceState[] {
    const reached = new Set([root.urn]);
    const dependents: ResourceState[] = [];
    const dependsOnReached = (state: ResourceState): boolean =>
        [state.deletedWith, ...state.dependencies, ...Object.values(state.propertyDependencies).flat()].some((urn) =>
            reached.has(urn),
        );
    for (;;) {
        const found = among.filter((state) => !reached.has(state.urn) && !state.superseded && dependsOnReached(state));
        if (found.length === 0) {
            return dependents;
        }
        for (const state of found) {
            reached.add(state.urn);
            dependents.push(state);
        }
    }
}

/**
 * Runs `work` on every state, each as soon as all that depend on it are done, independent ones at once.
 *
 * After a failure nothing new begins; what is running ends first.
 */
export async function inReverseOrder(
    states: readonly ResourceState[],
    work: (state: ResourceState) => Promise<void>,
): Promise<void> {
    const waiting = new Set(states);
    const running = new Map<ResourceState, Promise<void>>();
    const failures: unknown[] = [];
    const isFree = (state: ResourceState): boolean =>
        ![...waiting, ...running.keys()].some((other) => other !== state && needs(other).includes(state.urn));
    while (waiting.size > 0 || running.size > 0) {
        const free = failures.length > 0 ? [] : [...waiting].filter(isFree);
        // Two generations of resources may depend on each other crosswise: any order is as good then.
        const next = free.length > 0 || running.size > 0 || failures.length > 0 ? free : [...waiting].slice(0, 1);
        for (const state of next) {
            waiting.delete(state);
            const done = work(state)
                .catch((error: unknown) => void failures.push(error))
                .finally(() => void running.delete(state));
            running.set(state, done);
        }
        if (running.size === 0) {
            break;
        }
        await Promise.race(running.values());
    }
    if (failures.length > 0) {
        throw failures[0];
    }
}
