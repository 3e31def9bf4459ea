import type * as pulumi from "@pulumi/pulumi";
import type { NodeSpec } from "./cluster-spec/types";

/** What a node of a running cluster comes to while its programs change, in this order. */
type Stage = "api-server" | "control-plane" | "drained" | "services" | "member";

const STAGES: readonly Stage[] = ["api-server", "control-plane", "drained", "services", "member"];

/**
 * The order in which other programs come to the nodes of a running cluster: control planes one at a time, each with its API server first,
 * then workers, of which no more than `maxUnavailable` are drained at a time.
 *
 * All of it is dependencies, which change nothing about a resource. They are there only in a run that changes programs: every other run,
 * and a node that is new, waits for nothing. Machines are replaced one at a time in every run.
 */
export class Rollout {
    private readonly reach = new Map<string, (resources: readonly pulumi.Resource[]) => void>();
    private readonly reached = new Map<string, Promise<readonly pulumi.Resource[]>>();
    private readonly members: readonly Pick<NodeSpec, "name" | "role">[];

    /**
     * @param nodes all of them, in their order.
     * @param running names of those that were members at the end of the last run.
     * @param changes whether this run changes their programs, or an earlier one began to and didn't come to its end.
     */
    constructor(
        nodes: readonly Pick<NodeSpec, "name" | "role">[],
        running: readonly string[],
        private readonly maxUnavailable: number,
        private readonly changes: Promise<boolean>,
    ) {
        const members = nodes.filter(({ name }) => running.includes(name));
        this.members = [
            ...members.filter(({ role }) => role === "control-plane"),
            ...members.filter(({ role }) => role === "worker"),
        ];
        for (const { name } of this.members) {
            for (const stage of STAGES) {
                const key = `${name} ${stage}`;
                this.reached.set(key, new Promise((resolve) => this.reach.set(key, resolve)));
            }
        }
    }

    /** Whether the node was a member at the end of the last run. */
    isMember(name: string): boolean {
        return this.members.some((member) => member.name === name);
    }

    /** What a node waits for before its first program changes. */
    async turnOf(name: string): Promise<readonly pulumi.Resource[]> {
        const before = this.predecessor(name);
        return before === undefined ? [] : this.after(before, "member");
    }

    /**
     * What a machine waits for before it is replaced, in any run: one at a time, when the node before it is a member again. A new machine
     * waits for nothing.
     */
    async replacementOf(name: string): Promise<readonly pulumi.Resource[]> {
        const before = this.members[this.members.findIndex((member) => member.name === name) - 1];
        return before === undefined ? [] : (this.reached.get(`${before.name} member`) ?? []);
    }

    /** What comes after a stage of the same node waits for. */
    async after(name: string, stage: Stage): Promise<readonly pulumi.Resource[]> {
        const reached = this.reached.get(`${name} ${stage}`);
        return reached !== undefined && (await this.changes) ? reached : [];
    }

    /** Resources that are waited for where no rollout orders the node. */
    async unlessOrdered(name: string, resources: readonly pulumi.Resource[]): Promise<readonly pulumi.Resource[]> {
        return this.reached.has(`${name} member`) && (await this.changes) ? [] : resources;
    }

    /** Says which resources bring a node to a stage. */
    at(name: string, stage: Stage, resources: readonly pulumi.Resource[]): void {
        this.reach.get(`${name} ${stage}`)?.(resources);
    }

    /** Says that nothing more is made in this run. */
    noMore(): void {
        this.reach.forEach((resolve) => resolve([]));
    }

    /** The node whose end a node waits for: workers as many places before as may be away at a time. */
    private predecessor(name: string): string | undefined {
        const position = this.members.findIndex((member) => member.name === name);
        const controlPlanes = this.members.filter(({ role }) => role === "control-plane").length;
        if (position < 1) {
            return undefined;
        }
        const before =
            position < controlPlanes ? position - 1 : Math.max(controlPlanes - 1, position - this.maxUnavailable);
        return this.members[before]?.name;
    }
}
