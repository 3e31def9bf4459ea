import { rpc } from "./sdk";

/** A property value as the SDK sends it: JSON, with secrets and unknowns marked by the SDK's signatures. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
export type Properties = Readonly<Record<string, Value>>;

interface Secret {
    readonly [key: string]: Value;
    readonly value: Value;
}

export function isObject(value: Value | undefined): value is { readonly [key: string]: Value } {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Value | undefined): value is Secret {
    return isObject(value) && value[rpc.specialSigKey] === rpc.specialSecretSig;
}

/** `value` marked secret, once. */
export function secret(value: Value): Value {
    return isSecret(value) ? value : { [rpc.specialSigKey]: rpc.specialSecretSig, value };
}

export function containsSecret(value: Value): boolean {
    return isSecret(value) || children(value).some(containsSecret);
}

export function containsUnknown(value: Value): boolean {
    return value === rpc.unknownValue || children(value).some(containsUnknown);
}

/** `value` without its secret marks, at any depth. */
export function plain(value: Value): Value {
    if (isSecret(value)) {
        return plain(value.value);
    }
    if (Array.isArray(value)) {
        return (value as readonly Value[]).map(plain);
    }
    return isObject(value) ? plainProperties(value) : value;
}

export function plainProperties(properties: Properties): Properties {
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, plain(value)]));
}

/** The text at a key of a provider's inputs. */
export function textAt(properties: Properties, key: string, fallback?: string): string {
    const value = properties[key] ?? fallback;
    if (typeof value !== "string") {
        throw new Error(`${key} must be text`);
    }
    return value;
}

/** Whether two values say the same; whether they are secret doesn't count, and an unknown one equals nothing. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
    if (isSecret(left) || isSecret(right)) {
        return equal(isSecret(left) ? left.value : left, isSecret(right) ? right.value : right);
    }
    if (left === rpc.unknownValue || right === rpc.unknownValue) {
        return false;
    }
    if (Array.isArray(left) && Array.isArray(right)) {
        return left.length === right.length && left.every((each: Value, index) => equal(each, right[index] as Value));
    }
    if (isObject(left) && isObject(right)) {
        const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
        return [...keys].every((key) => equal(left[key], right[key]));
    }
    return left === right;
}

/** Keys whose values differ. */
export function changedKeys(before: Properties, after: Properties): string[] {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].filter((key) => !equal(before[key], after[key]));
}

function children(value: Value): readonly Value[] {
    if (Array.isArray(value)) {
        return value as readonly Value[];
    }
    return isObject(value) ? Object.values(value) : [];
}
