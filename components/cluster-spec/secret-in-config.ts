import * as runtime from "@pulumi/pulumi/runtime/config";

/** Internal to the SDK, and not in its type declarations. */
const { isConfigSecret } = runtime as unknown as { readonly isConfigSecret: (key: string) => boolean };

/** Whether a key of the stack's config, with its namespace, or a part of its value was set as a secret. */
export function isSecretInConfig(key: string): boolean {
    return isConfigSecret(key);
}
