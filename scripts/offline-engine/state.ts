import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../support/errors";
import type { SecretBox, KeyRecord } from "./secrets";
import type { Properties } from "./value";

/** A resource as of its last finished operation. */
export interface ResourceState {
    readonly urn: string;
    readonly type: string;
    readonly custom: boolean;
    /** The provider's identifier; empty for components. */
    readonly id: string;
    readonly inputs: Properties;
    readonly outputs: Properties;
    readonly parent: string;
    readonly dependencies: readonly string[];
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    readonly deletedWith: string;
    readonly replaceOnChanges: readonly string[];
    readonly protect: boolean;
    readonly retainOnDelete: boolean;
    /** Seconds a deletion may take. */
    readonly deleteTimeout?: number;
    /** A newer one took its place; it is deleted at the end of a run. */
    readonly superseded?: boolean;
}

/** An operation that was begun and whose end wasn't written down: it may have happened, or half of it. */
export interface PendingOperation {
    readonly operation: "create" | "update" | "delete";
    readonly resource: ResourceState;
}

/** The state file, secrets sealed. */
interface StateFile {
    readonly version: 1;
    readonly engine: "kubelab offline engine";
    readonly project: string;
    readonly stack: string;
    readonly key: KeyRecord;
    readonly resources: readonly ResourceState[];
    readonly pending: readonly PendingOperation[];
}

/** Reads a state file as it is, secrets sealed; undefined when there is none. */
export function readStateFile(file: string): StateFile | undefined {
    if (!existsSync(file)) {
        return undefined;
    }
    let content: Partial<StateFile>;
    try {
        content = JSON.parse(readFileSync(file, "utf8")) as Partial<StateFile>;
    } catch (error) {
        throw new UserError(`The stack's state in ${file} can't be read: ${(error as Error).message}`);
    }
    if (content.version !== 1 || content.resources === undefined) {
        throw new UserError(`${file} isn't a state file of this version of the offline engine.`);
    }
    return content as StateFile;
}

/**
 * The state of a stack in memory and in its file.
 *
 * The file is replaced as a whole (written beside, synced, renamed), mode 0600. Changes that come while a write is under way
 * go together into the next one; `flush` ends when everything changed before it is in the file. An operation with effects
 * is written down as pending before it begins, so that a killed run is known to the next one.
 */
export class StateStore {
    private readonly states = new Set<ResourceState>();
    private readonly pendingOperations = new Set<PendingOperation>();
    private readonly sealed = new Map<object, string>();
    private writing: Promise<void> | undefined;
    private next: Promise<void> | undefined;

    /** @param file where to keep the state; undefined keeps it in memory only, for a preview. */
    constructor(
        private readonly file: string | undefined,
        private readonly identity: { readonly project: string; readonly stack: string },
        private readonly box: SecretBox,
        content?: StateFile,
    ) {
        for (const each of content?.resources ?? []) {
            this.states.add(this.opened(each));
        }
        for (const { operation, resource } of content?.pending ?? []) {
            this.pendingOperations.add({ operation, resource: this.opened(resource) });
        }
    }

    get resources(): readonly ResourceState[] {
        return [...this.states];
    }

    get pending(): readonly PendingOperation[] {
        return [...this.pendingOperations];
    }

    /** The resource that a URN stands for now. */
    current(urn: string): ResourceState | undefined {
        return this.resources.find((state) => state.urn === urn && !state.superseded);
    }

    add(state: ResourceState): void {
        this.states.add(state);
    }

    remove(state: ResourceState): void {
        this.states.delete(state);
        this.sealed.delete(state);
    }

    replace(before: ResourceState | undefined, after: ResourceState): void {
        if (before) {
            this.remove(before);
        }
        this.add(after);
    }

    begin(operation: PendingOperation): void {
        this.pendingOperations.add(operation);
    }

    end(operation: PendingOperation): void {
        this.pendingOperations.delete(operation);
        this.sealed.delete(operation);
    }

    async flush(): Promise<void> {
        if (this.file === undefined) {
            return;
        }
        this.next ??= this.writeAfter(this.writing, this.file);
        await this.next;
    }

    private async writeAfter(previous: Promise<void> | undefined, file: string): Promise<void> {
        await previous?.catch(() => undefined);
        this.writing = this.next;
        this.next = undefined;
        await writeAtomically(file, this.render());
    }

    private render(): string {
        const list = <T extends object>(items: Iterable<T>, seal: (item: T) => object): string =>
            [...items]
                .map((item) => {
                    const text = this.sealed.get(item) ?? JSON.stringify(seal(item));
                    this.sealed.set(item, text);
                    return `\n    ${text}`;
                })
                .join(",");
        const head = { version: 1, engine: "kubelab offline engine", ...this.identity, key: this.box.record };
        const resources = list(this.states, (state) => this.sealedState(state));
        const pending = list(this.pendingOperations, ({ operation, resource }) => ({
            operation,
            resource: this.sealedState(resource),
        }));
        return `${JSON.stringify(head).slice(0, -1)},\n"resources":[${resources}\n],\n"pending":[${pending}\n]}\n`;
    }

    private sealedState(state: ResourceState): ResourceState {
        return {
            ...state,
            inputs: this.box.sealProperties(state.inputs),
            outputs: this.box.sealProperties(state.outputs),
        };
    }

    private opened(state: ResourceState): ResourceState {
        return {
            ...state,
            inputs: this.box.openProperties(state.inputs),
            outputs: this.box.openProperties(state.outputs),
        };
    }
}

async function writeAtomically(file: string, content: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const beside = `${file}.new`;
    const handle = await open(beside, "w", 0o600);
    try {
        await handle.writeFile(content);
        await handle.datasync();
    } finally {
        await handle.close();
    }
    await rename(beside, file);
    const directory = await open(dirname(file), "r");
    try {
        await directory.sync();
    } finally {
        await directory.close();
    }
}
