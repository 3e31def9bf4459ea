import type * as pulumi from "@pulumi/pulumi";

/** Internal to the SDK, and not in its type declarations. */
interface Unwrapped<T> {
    readonly promise: () => Promise<T | undefined>;
}

/** The value of an output once there is one, whether or not it is a secret; undefined where a preview doesn't know it. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T | undefined> {
    return (output as unknown as Unwrapped<T>).promise();
}
