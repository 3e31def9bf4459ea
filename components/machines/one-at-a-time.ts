import type * as pulumi from "@pulumi/pulumi";

/**
 * The order in which machines of a running cluster may be replaced: each one only when the node before it is a member again. New
 * machines wait for nobody: they come up at once.
 *
 * A turn is a dependency, which changes nothing about a resource: it orders what a run does, and a run that changes nothing does
 * nothing.
 */
export class OneAtATime {
    private readonly done = new Map<string, (resources: pulumi.Resource[]) => void>();
    private readonly members = new Map<string, Promise<pulumi.Resource[]>>();

    /**
     * @param order names of all nodes.
     * @param running names of those that were members at the end of the last run.
     */
    constructor(
        private readonly order: readonly string[],
        private readonly running: Promise<readonly string[]>,
    ) {
        for (const name of order) {
            this.members.set(name, new Promise((resolve) => this.done.set(name, resolve)));
        }
    }

    /** What a machine waits for. Resolves when `after` was called for the node before it, or `noMore`. */
    async before(name: string): Promise<pulumi.Resource[]> {
        const running = await this.running;
        const members = this.order.filter((each) => running.includes(each));
        const previous = members[members.indexOf(name) - 1];
        return previous === undefined ? [] : (this.members.get(previous) ?? []);
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
