/** A stack's state as `pulumi stack export` gives it, as far as it is changed here. */
interface Exported {
    readonly deployment: {
        readonly resources?: readonly Resource[];
        readonly pending_operations?: readonly { readonly type: string; readonly resource: Resource }[];
    };
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/**
 * The state after a killed run, such that the next run repeats the unfinished operations. Pulumi itself keeps
 * operations that were begun as pending, takes a resource whose update was begun for what it was before, and so leaves
 * a command that has changed a machine meanwhile as it is when its inputs are put back. Here such a command forgets its
 * standard input, which makes the next run update it.
 *
 * @returns undefined where no operation was unfinished.
 */
export function withoutPendingOperations(state: Exported): Exported | undefined {
    const { resources = [], pending_operations: pending = [], ...rest } = state.deployment;
    if (pending.length === 0) {
        return undefined;
    }
    const updating = new Set(pending.filter(({ type }) => type === "updating").map(({ resource }) => resource.urn));
    const again = resources.map((resource) =>
        resource.type.startsWith("command:") && updating.has(resource.urn) ? forgetful(resource) : resource,
    );
    return { ...state, deployment: { ...rest, resources: again } };
}

function forgetful(resource: Resource): Resource {
    const without = (properties: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> =>
        Object.fromEntries(Object.entries(properties).filter(([key]) => key !== "stdin"));
    return { ...resource, inputs: without(resource.inputs), outputs: without(resource.outputs) };
}
