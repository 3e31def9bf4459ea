/** A property value of a resource as JSON; a provider sees it without secret marks. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
export type Properties = Readonly<Record<string, Value>>;

/** What the engine sends in place of a value that isn't known yet. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The key that marks an object as a special value, and the mark of a secret. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export function isObject(value: Value | undefined): value is { readonly [key: string]: Value } {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Value): value is readonly Value[] {
    return Array.isArray(value);
}

/** `value`, marked so that the engine encrypts it in the state. */
export function secret(value: Value): Value {
    return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

function isSecret(value: Value): value is { readonly value: Value } {
    return isObject(value) && value[SIGNATURE] === SECRET;
}

/** The same with what is at a path in it marked as a secret, where there is something. */
export function withSecretAt(value: Value, [key, ...rest]: readonly string[]): Value {
    if (key === undefined) {
        return secret(value);
    }
    if (isSecret(value)) {
        return secret(withSecretAt(value.value, [key, ...rest]));
    }
    const inner = isObject(value) ? value[key] : undefined;
    return inner === undefined ? value : { ...(value as object), [key]: withSecretAt(inner, rest) };
}

/** The same without the marks of secrets. */
export function open(value: Value): Value {
    if (isSecret(value)) {
        return open(value.value);
    }
    if (isList(value)) {
        return value.map(open);
    }
    return isObject(value) ? openAll(value) : value;
}

export function openAll(properties: Properties): Properties {
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, open(value)]));
}

/** The text at a key of a provider's inputs. */
export function textAt(properties: Properties, key: string, fallback?: string): string {
    const value = properties[key] ?? fallback;
    if (typeof value !== "string") {
        throw new Error(`${key} must be text`);
    }
    return value;
}

/** Whether two values are the same; an unknown one equals nothing. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
    if (left === UNKNOWN || right === UNKNOWN) {
        return false;
    }
    if (left !== undefined && right !== undefined && isList(left) && isList(right)) {
        return left.length === right.length && left.every((each, index) => equal(each, right[index]));
    }
    if (isObject(left) && isObject(right)) {
        return changedKeys(left, right).length === 0;
    }
    return left === right;
}

/** Keys whose values differ, but for the bookkeeping of providers that are bridged from Terraform (`__defaults`). */
export function changedKeys(before: Properties, after: Properties): string[] {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].filter((key) => !key.startsWith("__") && !equal(before[key], after[key]));
}
