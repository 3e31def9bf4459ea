import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";

/** Whether a value of a request to the engine is marked as a secret. */
export function isSecret(value: unknown): value is { readonly value: unknown } {
    return typeof value === "object" && value !== null && (value as Mark)[specialSigKey] === specialSecretSig;
}

/** The value with every secret in it in the clear. */
export function unwrap(value: unknown): unknown {
    return isSecret(value) ? unwrap(value.value) : within(value, unwrap);
}

/** The value with a placeholder for every secret in it: what a log, a preview or the state shows. */
export function withoutSecrets(value: unknown): unknown {
    return isSecret(value) ? "[secret]" : within(value, withoutSecrets);
}

type Mark = { readonly [specialSigKey]?: string };

function within(value: unknown, change: (inner: unknown) => unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(change);
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
    }
    return value;
}
