import { changedKeys, type Properties } from "./value";

/** The resource that an operation of a provider works on. */
export interface Subject {
    readonly type: string;
    readonly name: string;
    /** Aborted when the operation's timeout is over or the run is ended by force. */
    readonly signal: AbortSignal;
    /** Shows a line under the resource. */
    readonly log: (line: string) => void;
}

/** A resource as the state has it. */
export interface Existing {
    readonly id: string;
    readonly inputs: Properties;
    readonly outputs: Properties;
}

export interface Diff {
    /** Inputs that differ, or other reasons to change the resource. */
    readonly changed: readonly string[];
    /** Those of `changed` that can't be changed in place. */
    readonly replace: readonly string[];
    /** Outputs that an update doesn't touch, so that a preview knows them. */
    readonly stable?: readonly string[];
}

/**
 * Does the work of all resource types of one package. `server.ts` serves it to the Pulumi engine by the provider protocol:
 * https://www.pulumi.com/docs/iac/guides/building-extending/providers/
 */
export interface Provider {
    /** Paths of inputs that are always secret, e.g. `connection.privateKey`. */
    secretInputs?(type: string): readonly string[];
    /** Outputs that are always secret. */
    secretOutputs?(type: string): readonly string[];
    /** Inputs may hold unknown values at preview. Without it, a changed input replaces unless there is an `update`. */
    diff?(type: string, existing: Existing, inputs: Properties): Diff;
    create(subject: Subject, inputs: Properties): Promise<{ readonly id: string; readonly outputs: Properties }>;
    update?(subject: Subject, existing: Existing, inputs: Properties): Promise<Properties>;
    delete?(subject: Subject, existing: Existing): Promise<void>;
    /** A function call, e.g. `aws:ec2/getAmi:getAmi`. */
    invoke?(token: string, inputs: Properties): Promise<Properties>;
}

export function diffOf(provider: Provider, type: string, existing: Existing, inputs: Properties): Diff {
    if (provider.diff) {
        return provider.diff(type, existing, inputs);
    }
    const changed = changedKeys(existing.inputs, inputs);
    return { changed, replace: provider.update ? [] : changed };
}
