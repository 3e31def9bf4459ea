import type * as pulumi from "@pulumi/pulumi";

/**
 * The order in which machines of a running cluster may be replaced: each one only when the node before it is a member
 * again. New machines do not wait: they come up in parallel.
 *
 * A turn is a dependency, which changes nothing about a resource: it orders what a run does, and a run that changes
 * nothing does nothing.
 */
export class OneAtATime {
    private readonly done = new Map<string, (resources: pulumi.Resource[]) => void>();
    private readonly turns = new Map<string, Promise<pulumi.Resource[]>>();

    /**
     * @param order names of all nodes.
     * @param running names of those that were members at the end of the last run.
     */
    constructor(order: readonly string[], running: readonly string[]) {
        const members = order.filter((name) => running.includes(name));
        for (const [position, name] of members.entries()) {
            const next = members[position + 1];
            if (next !== undefined) {
                this.turns.set(next, new Promise((resolve) => this.done.set(name, resolve)));
            }
        }
    }

    /** What a machine waits for. Resolves when `after` was called for the node before it, or `noMore`. */
    before(name: string): Promise<pulumi.Resource[]> {
        return this.turns.get(name) ?? Promise.resolve([]);
    }

    /** Says which resource makes the node a member. */
    after(name: string, membership: pulumi.Resource): void {
        this.done.get(name)?.([membership]);
    }

    /** Says that no other node becomes a member in this run. */
    noMore(): void {
        this.done.forEach((resolve) => resolve([]));
    }
}
