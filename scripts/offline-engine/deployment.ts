import { ignoringChanges, inheriting, replacedOnChanges, type Goal } from "./goal";
import { dependentsOf, inReverseOrder } from "./graph";
import { Operations } from "./operations";
import type { Diff } from "./provider";
import type { Run } from "./run";
import { rpc } from "./sdk";
import type { PendingOperation, ResourceState, StateStore } from "./state";
import type { Properties } from "./value";

/** What the SDK is told about a registered resource. */
export interface Registered {
    readonly urn: string;
    readonly id: string;
    readonly outputs: Properties;
}

/**
 * Brings a stack from its state to what the program registers, with the Pulumi engine's rules: nothing where nothing
 * changed; update or replace where it did (the new one first, unless deleteBeforeReplace); deletion of what the program no
 * longer has, at the end, dependents first.
 *
 * Registrations run concurrently; the program's own data flow orders them.
 */
export class Deployment {
    private readonly registered = new Map<string, Goal>();
    /** URNs deleted in this run: by the end's deletions, or as dependents of a replaced resource. */
    private readonly gone = new Set<string>();
    /** Deleted in this run, to be created again when the program registers them. */
    private readonly recreating = new Map<string, Diff>();
    private readonly operations: Operations;
    private readonly interrupted: ReadonlyMap<string, PendingOperation>;

    constructor(
        private readonly run: Run,
        private readonly store: StateStore,
        private readonly identity: { readonly project: string; readonly stack: string },
    ) {
        this.operations = new Operations(run, store);
        this.interrupted = new Map(store.pending.map((pending) => [pending.resource.urn, pending]));
    }

    /** Number of resources registered so far. */
    get size(): number {
        return this.registered.size;
    }

    /** Takes one resource of the program to where it should be. */
    async register(request: Goal): Promise<Registered> {
        this.run.checkpoint();
        const goal = inheriting(request, this.registered.get(request.parent));
        const urn = this.urnOf(goal);
        if (this.registered.has(urn)) {
            throw new Error(`two resources have the URN ${urn}: give one of them another name`);
        }
        this.registered.set(urn, goal);
        const before = this.store.current(urn);
        const state = this.desired(urn, before ? { ...goal, inputs: ignoringChanges(goal, before.inputs) } : goal);
        const after = goal.custom ? await this.applyCustom(goal, before, state) : this.applyComponent(before, state);
        return { urn, id: after.id, outputs: after.outputs };
    }

    /** Keeps what a component, or the stack, gives out. */
    registerOutputs(urn: string, outputs: Properties): void {
        const state = this.run.stopped ? undefined : this.store.current(urn);
        if (state && JSON.stringify(state.outputs) !== JSON.stringify(outputs)) {
            this.store.replace(state, { ...state, outputs });
        }
    }

    /** What the stack gave out at the end of the last run; nothing when there was none. */
    lastOutputs(): Properties {
        return this.store.resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
    }

    /** The program has ended well: deletes what it no longer has, and what was replaced. */
    async finish(): Promise<void> {
        await this.run.drain();
        this.adoptInterruptedCreations();
        await this.deleteAll(
            this.store.resources.filter((state) => state.superseded || !this.registered.has(state.urn)),
        );
        await this.forgetInterrupted();
    }

    /** Deletes everything, also what an interrupted run may have created. */
    async destroy(): Promise<void> {
        this.adoptInterruptedCreations();
        await this.deleteAll(this.store.resources);
        await this.forgetInterrupted();
    }

    private async applyCustom(
        goal: Goal,
        before: ResourceState | undefined,
        state: ResourceState,
    ): Promise<ResourceState> {
        const again = this.recreating.get(state.urn);
        if (!before) {
            const created = await this.operations.create(goal, state, again ? "replace" : "create", again?.changed);
            await this.forget(state.urn);
            return created;
        }
        const diff = this.diff(goal, before, state);
        if (diff.changed.length === 0) {
            const after = { ...state, id: before.id, outputs: before.outputs };
            this.keep(before, after);
            return after;
        }
        const result =
            diff.replace.length > 0
                ? await this.replace(goal, before, state, diff)
                : await this.operations.update(goal, before, { ...state, id: before.id }, diff);
        await this.forget(state.urn);
        return result;
    }

    private applyComponent(before: ResourceState | undefined, state: ResourceState): ResourceState {
        if (before) {
            const after = { ...state, outputs: before.outputs };
            this.keep(before, after);
            return after;
        }
        this.store.add(state);
        this.run.count("create");
        return state;
    }

    /** An operation that was cut short makes a difference of its own: it may not have happened, or just by half. */
    private diff(goal: Goal, before: ResourceState, state: ResourceState): Diff {
        const diff = this.operations.diff(before, state.inputs);
        const replace = replacedOnChanges(goal.replaceOnChanges, diff.changed, before.inputs, state.inputs);
        const whole = { ...diff, replace: [...new Set([...diff.replace, ...replace])] };
        const interrupted = this.interrupted.get(before.urn)?.operation;
        switch (interrupted) {
            case undefined:
            case "create":
                return whole;
            case "update":
                return { ...whole, changed: [...whole.changed, "(an interrupted update)"] };
            case "delete":
                return {
                    ...whole,
                    changed: [...whole.changed, "(an interrupted deletion)"],
                    replace: [...whole.replace, "(an interrupted deletion)"],
                };
        }
    }

    private async replace(goal: Goal, before: ResourceState, state: ResourceState, diff: Diff): Promise<ResourceState> {
        if (before.protect) {
            return this.run.operation(before, "replace", { diffKeys: diff.changed }, () =>
                Promise.reject(new Error(`it is protected, and ${diff.replace.join(", ")} can't be changed in place`)),
            );
        }
        if (!(goal.deleteBeforeReplace ?? false)) {
            return this.operations.create(goal, state, "replace", diff.changed, before);
        }
        const dependents = this.dependentReplacements(before);
        for (const [dependent, changed] of dependents) {
            this.gone.add(dependent.urn);
            this.recreating.set(dependent.urn, { changed, replace: changed });
        }
        await inReverseOrder([...dependents.keys(), before], (each) => this.operations.delete(each, this.gone, false));
        if (this.run.preview) {
            for (const each of [...dependents.keys(), before]) {
                this.store.remove(each);
            }
        }
        return this.operations.create(goal, state, "replace", diff.changed);
    }

    /** Resources that would be replaced if `root` were: they have to go before it, each with the inputs that make it so. */
    private dependentReplacements(root: ResourceState): ReadonlyMap<ResourceState, readonly string[]> {
        const replaced = new Map<ResourceState, readonly string[]>();
        const urns = new Set([root.urn]);
        const candidates = dependentsOf(
            root,
            this.store.resources.filter(({ urn }) => !this.registered.has(urn)),
        ).filter(({ custom }) => custom);
        for (let before = -1; before !== urns.size;) {
            before = urns.size;
            for (const state of candidates.filter(({ urn }) => !urns.has(urn))) {
                const affected = Object.keys(state.inputs).filter((key) =>
                    state.propertyDependencies[key]?.some((urn) => urns.has(urn)),
                );
                const unknown = Object.fromEntries(affected.map((key) => [key, rpc.unknownValue]));
                const inputs = { ...state.inputs, ...unknown };
                const diff = affected.length > 0 ? this.operations.diff(state, inputs) : { changed: [], replace: [] };
                const replace = [
                    ...diff.replace,
                    ...replacedOnChanges(state.replaceOnChanges, diff.changed, state.inputs, inputs),
                ];
                if (replace.length > 0) {
                    replaced.set(state, replace);
                    urns.add(state.urn);
                }
            }
        }
        return replaced;
    }

    /** What an interrupted run may have created, and nothing has been heard of since, is there to be deleted. */
    private adoptInterruptedCreations(): void {
        for (const { operation, resource } of this.interrupted.values()) {
            const heardOf = this.registered.has(resource.urn) || this.store.current(resource.urn) !== undefined;
            if (operation === "create" && !heardOf) {
                this.store.add(resource);
            }
        }
    }

    private async deleteAll(states: readonly ResourceState[]): Promise<void> {
        for (const { urn } of states) {
            this.gone.add(urn);
        }
        try {
            await inReverseOrder(states, (state) => this.operations.delete(state, this.gone, !state.superseded));
        } catch (error) {
            await this.run.drain();
            throw error;
        }
    }

    /** The resource stays as it is; what the program says about it beside its inputs may have changed. */
    private keep(before: ResourceState, after: ResourceState): void {
        if (JSON.stringify(before) !== JSON.stringify(after)) {
            this.store.replace(before, after);
        }
        this.run.same(after);
    }

    private async forget(urn: string): Promise<void> {
        const pending = this.interrupted.get(urn);
        if (pending) {
            this.store.end(pending);
            await this.store.flush();
        }
    }

    private async forgetInterrupted(): Promise<void> {
        for (const pending of this.interrupted.values()) {
            this.store.end(pending);
        }
        await this.store.flush();
    }

    private desired(urn: string, goal: Goal): ResourceState {
        return {
            urn,
            type: goal.type,
            custom: goal.custom,
            id: "",
            inputs: goal.inputs,
            outputs: goal.custom ? goal.inputs : {},
            parent: goal.parent,
            dependencies: goal.dependencies,
            propertyDependencies: goal.propertyDependencies,
            deletedWith: goal.deletedWith,
            replaceOnChanges: goal.replaceOnChanges,
            protect: goal.protect ?? false,
            retainOnDelete: goal.retainOnDelete ?? false,
            ...(goal.timeouts.delete ? { deleteTimeout: goal.timeouts.delete } : {}),
        };
    }

    private urnOf({ type, name, parent }: Goal): string {
        const parentType = parent.split("::")[2] ?? "";
        const qualified = parentType === "" || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
        return `urn:pulumi:${this.identity.stack}::${this.identity.project}::${qualified}::${name}`;
    }
}

const STACK_TYPE = "pulumi:pulumi:Stack";
