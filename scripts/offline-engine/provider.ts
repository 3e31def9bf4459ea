import { UserError } from "../support/errors";
import { changedKeys, type Properties } from "./value";

/** What an operation of a provider works on; no secret marks in its properties, so its outputs must be marked again. */
export interface Subject {
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    /** Ends when the operation's timeout is over or the run is ended by force. */
    readonly signal: AbortSignal;
    readonly log: (line: string) => void;
}

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
    /** Outputs that an update doesn't touch, as a preview may say. */
    readonly stable?: readonly string[];
}

/** Does the work of a family of resource types. */
export interface Provider {
    /** Operations have no effect outside the state: nothing is left behind by one that was cut short. */
    readonly pure?: boolean;
    /** Outputs that are secret whatever the program says. */
    secretOutputs?(type: string): readonly string[];
    /** Inputs may hold unknown values, at preview and when it is asked what a replacement would entail. */
    diff?(type: string, existing: Existing, inputs: Properties): Diff;
    create(subject: Subject, inputs: Properties): Promise<{ readonly id: string; readonly outputs: Properties }>;
    update?(subject: Subject, existing: Existing, inputs: Properties): Promise<Properties>;
    delete?(subject: Subject, existing: Existing): Promise<void>;
    /** A function call, e.g. `aws:ec2/getAmi:getAmi`. */
    invoke?(token: string, inputs: Properties): Promise<Properties>;
}

/** Changed inputs replace, unless the provider can update. */
export function diffOf(provider: Provider, type: string, existing: Existing, inputs: Properties): Diff {
    if (provider.diff) {
        return provider.diff(type, existing, inputs);
    }
    const changed = changedKeys(existing.inputs, inputs);
    return { changed, replace: provider.update ? [] : changed };
}

const registry = new Map<string, Provider>();

/**
 * Makes a provider known for every type whose token begins with `prefix`; the longest prefix wins.
 *
 * @param prefix e.g. `command:local:` or `aws:`
 */
export function registerProvider(prefix: string, provider: Provider): void {
    registry.set(prefix, provider);
}

/** @throws UserError for a type that no provider is known for. */
export function providerOf(token: string): Provider {
    const prefixes = [...registry.keys()].filter((prefix) => token.startsWith(prefix));
    const longest = prefixes.sort((left, right) => right.length - left.length)[0];
    const provider = longest === undefined ? undefined : registry.get(longest);
    if (!provider) {
        throw new UserError(
            `The offline engine can't do ${token}: it knows ${[...registry.keys()].map((each) => `${each}*`).join(", ")}. ` +
                "Use the Pulumi CLI for this stack.",
        );
    }
    return provider;
}
