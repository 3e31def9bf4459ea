import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { equal, isObject, type Properties, type Value } from "./value";

/** What the program wants of one resource: a registration request of the SDK, read. */
export interface Goal {
    readonly type: string;
    readonly name: string;
    readonly custom: boolean;
    readonly parent: string;
    readonly inputs: Properties;
    readonly dependencies: readonly string[];
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
    readonly deletedWith: string;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    /** Undefined leaves it to the default: the new one is created first. */
    readonly deleteBeforeReplace: boolean | undefined;
    /** Undefined takes the parent's, like an empty `deletedWith`. */
    readonly protect: boolean | undefined;
    readonly retainOnDelete: boolean | undefined;
    /** Seconds per operation. */
    readonly timeouts: { readonly create?: number; readonly update?: number; readonly delete?: number };
}

/** @throws Error for resource options that this engine doesn't have. */
export function readGoal(request: RegisterResourceRequest): Goal {
    const unsupported = [
        ...(request.getRemote() ? ["remote components"] : []),
        ...(request.getImportid() ? ["import"] : []),
        ...(request.getReplaceWithList().length > 0 ? ["replaceWith"] : []),
        ...(request.getReplacementTrigger() ? ["replacementTrigger"] : []),
    ];
    if (unsupported.length > 0) {
        throw new Error(`the offline engine has no ${unsupported.join(", ")}`);
    }
    const timeouts = request.getCustomtimeouts();
    return {
        type: request.getType(),
        name: request.getName(),
        custom: request.getCustom(),
        parent: request.getParent(),
        inputs: request.getObject()?.toJavaScript() ?? {},
        dependencies: request.getDependenciesList(),
        propertyDependencies: Object.fromEntries(
            request
                .getPropertydependenciesMap()
                .toArray()
                .map(([key]) => [key, request.getPropertydependenciesMap().get(key)?.getUrnsList() ?? []]),
        ),
        deletedWith: request.getDeletedwith(),
        ignoreChanges: request.getIgnorechangesList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
        protect: optional(request.hasProtect(), request.getProtect()),
        retainOnDelete: optional(request.hasRetainondelete(), request.getRetainondelete()),
        timeouts: {
            ...seconds("create", timeouts?.getCreate()),
            ...seconds("update", timeouts?.getUpdate()),
            ...seconds("delete", timeouts?.getDelete()),
        },
    };
}

/** The goal with what resources take from their parent where they don't say it themselves. */
export function inheriting(goal: Goal, parent: Goal | undefined): Goal {
    return {
        ...goal,
        deletedWith: goal.deletedWith || (parent?.deletedWith ?? ""),
        protect: goal.protect ?? parent?.protect,
        retainOnDelete: goal.retainOnDelete ?? parent?.retainOnDelete,
    };
}

/** The inputs with the old values in place of those that the program asks to ignore. */
export function ignoringChanges(goal: Goal, before: Properties): Properties {
    return goal.ignoreChanges.reduce<Properties>((inputs, path) => {
        const [key = "", ...rest] = pathOf(path);
        const old = before[key];
        const value = rest.length === 0 ? old : withOld(inputs[key], old, rest);
        return Object.fromEntries(
            Object.entries({ ...inputs, [key]: value }).filter(
                (entry): entry is [string, Value] => entry[1] !== undefined,
            ),
        );
    }, goal.inputs);
}

/** Of `changed` inputs, those below a path that the program wants replaced on changes. */
export function replacedOnChanges(
    paths: readonly string[],
    changed: readonly string[],
    before: Properties,
    after: Properties,
): string[] {
    return changed.filter((key) =>
        paths.some((path) => {
            const [head, ...rest] = pathOf(path);
            return (head === key || head === "*") && differAt(before[key], after[key], rest);
        }),
    );
}

/** `a.b[0]["c"]` in its steps; `*` for any. */
function pathOf(path: string): string[] {
    return [...path.matchAll(/\["([^"]*)"\]|\[([^\]]*)\]|([^.[\]]+)/g)].map(
        ([, quoted, bracketed, bare]) => quoted ?? bracketed ?? bare ?? "",
    );
}

function optional<T>(given: boolean, value: T): T | undefined {
    return given ? value : undefined;
}

function differAt(before: Value | undefined, after: Value | undefined, path: readonly string[]): boolean {
    const [step, ...rest] = path;
    if (step === undefined || step === "*" || !isObject(before) || !isObject(after)) {
        return !equal(before, after);
    }
    return differAt(before[step], after[step], rest);
}

function withOld(value: Value | undefined, old: Value | undefined, path: readonly string[]): Value | undefined {
    const [step, ...rest] = path;
    if (step === undefined || !isObject(value) || !isObject(old)) {
        return old;
    }
    const kept = withOld(value[step], old[step], rest);
    const others = Object.fromEntries(Object.entries(value).filter(([key]) => key !== step));
    return kept === undefined ? others : { ...others, [step]: kept };
}

/** A Go duration such as `1h5m` or `30s`, in seconds. */
function seconds<Key extends string>(key: Key, duration: string | undefined): { readonly [K in Key]?: number } {
    const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
    const parts = [...(duration ?? "").matchAll(/([\d.]+)(ms|h|m|s)/g)];
    const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
    return (total > 0 ? { [key]: total } : {}) as { readonly [K in Key]?: number };
}
