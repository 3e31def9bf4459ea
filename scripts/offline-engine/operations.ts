import type { Operation } from "../cli/engine";
import type { Goal } from "./goal";
import { diffOf, providerOf, type Diff, type Existing, type Provider, type Subject } from "./provider";
import { nameOf, type Run } from "./run";
import type { ResourceState, StateStore } from "./state";
import { containsSecret, equal, plainProperties, secret, type Properties } from "./value";

/** Creates, updates and deletes single resources through their providers, and keeps the state in step. */
export class Operations {
    constructor(
        private readonly run: Run,
        private readonly store: StateStore,
    ) {}

    /** @param superseded the older one that it takes the place of, to be deleted at the end of the run. */
    async create(
        goal: Goal,
        state: ResourceState,
        operation: Operation = "create",
        diffKeys?: readonly string[],
        superseded?: ResourceState,
    ): Promise<ResourceState> {
        const provider = providerOf(state.type);
        const details = { ...(diffKeys ? { diffKeys } : {}), timeout: goal.timeouts.create };
        const created = await this.run.operation(state, operation, details, async (signal, log) => {
            if (this.run.preview) {
                this.supersede(superseded);
                return state;
            }
            return this.journaled(provider, "create", state, async () => {
                const result = await provider.create(this.subject(state, signal, log), plainProperties(state.inputs));
                const after = { ...state, id: result.id, outputs: marked(provider, goal, result.outputs) };
                this.supersede(superseded);
                this.store.add(after);
                return after;
            });
        });
        this.run.count(operation);
        return created;
    }

    async update(goal: Goal, before: ResourceState, after: ResourceState, diff: Diff): Promise<ResourceState> {
        const provider = providerOf(after.type);
        const details = { diffKeys: diff.changed, timeout: goal.timeouts.update };
        const updated = await this.run.operation(after, "update", details, async (signal, log) => {
            if (this.run.preview) {
                const stable = Object.fromEntries((diff.stable ?? []).map((key) => [key, before.outputs[key] ?? null]));
                return { ...after, outputs: { ...after.inputs, ...stable } };
            }
            return this.journaled(provider, "update", after, async () => {
                const outputs = await provider.update?.(
                    this.subject(after, signal, log),
                    existing(before),
                    plainProperties(after.inputs),
                );
                const result = { ...after, outputs: marked(provider, goal, outputs ?? {}) };
                this.store.replace(before, result);
                return result;
            });
        });
        this.run.count("update");
        return updated;
    }

    /**
     * Deletes a resource.
     *
     * @param gone URNs that are deleted in this run: what is `deletedWith` one of them goes with it.
     * @param counted whether it counts as a deletion, and not as half of a replacement.
     */
    async delete(state: ResourceState, gone: ReadonlySet<string>, counted: boolean): Promise<void> {
        const { run, store } = this;
        run.checkpoint();
        if (state.protect && counted) {
            await run.operation(state, "delete", {}, () =>
                Promise.reject(new Error("it is protected: take `protect` off it first")),
            );
        }
        const reason = this.reasonToSkip(state, gone);
        if (!state.custom || reason !== undefined) {
            store.remove(state);
            if (counted) {
                run.forgotten(state, "delete", reason);
            }
            await store.flush();
            return;
        }
        const provider = providerOf(state.type);
        await run.operation(state, "delete", { timeout: state.deleteTimeout }, async (signal, log) => {
            if (!run.preview) {
                await this.journaled(provider, "delete", state, async () => {
                    await provider.delete?.(this.subject(state, signal, log), existing(state));
                    store.remove(state);
                });
            }
        });
        if (counted) {
            run.count("delete");
        }
    }

    /** How a resource's inputs differ from the state's. */
    diff(state: ResourceState, inputs: Properties): Diff {
        return diffOf(providerOf(state.type), state.type, existing(state), plainProperties(inputs));
    }

    private supersede(state: ResourceState | undefined): void {
        if (state) {
            this.store.replace(state, { ...state, superseded: true });
        }
    }

    private reasonToSkip(state: ResourceState, gone: ReadonlySet<string>): string | undefined {
        if (state.retainOnDelete) {
            return "kept, as the program asks (retainOnDelete)";
        }
        return gone.has(state.deletedWith) ? `goes with ${nameOf(state.deletedWith)}` : undefined;
    }

    /** Work with effects is written down before it begins, and its result when it ends. */
    private async journaled<Result>(
        provider: Provider,
        operation: "create" | "update" | "delete",
        resource: ResourceState,
        work: () => Promise<Result>,
    ): Promise<Result> {
        const { store } = this;
        if (provider.pure) {
            const result = await work();
            store.flush().catch(() => undefined);
            return result;
        }
        const pending = { operation, resource };
        store.begin(pending);
        try {
            await store.flush();
            return await work();
        } finally {
            store.end(pending);
            await store.flush();
        }
    }

    private subject(state: ResourceState, signal: AbortSignal, log: (line: string) => void): Subject {
        return { urn: state.urn, type: state.type, name: nameOf(state.urn), signal, log };
    }
}

function existing(state: ResourceState): Existing {
    const { id, inputs, outputs } = state;
    return { id, inputs: plainProperties(inputs), outputs: plainProperties(outputs) };
}

/** Outputs with the secret marks of the inputs they repeat, of the program's options and of the provider. */
function marked(provider: Provider, goal: Goal, outputs: Properties): Properties {
    const secrets = new Set([...goal.additionalSecretOutputs, ...(provider.secretOutputs?.(goal.type) ?? [])]);
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => {
            const input = goal.inputs[key];
            const own = input !== undefined && equal(input, value) ? input : value;
            const isSecretOutput = secrets.has(key) || (input !== undefined && containsSecret(input));
            return [key, isSecretOutput ? secret(own) : own];
        }),
    );
}
