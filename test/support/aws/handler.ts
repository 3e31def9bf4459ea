import type * as pulumi from "@pulumi/pulumi";
import type { Existing } from "../../../scripts/providers/provider";
import type { Properties } from "../../../scripts/providers/value";

/** The inputs of a resource as the engine hands them over, of the type that @pulumi/aws declares. */
export type Inputs<Args> = { readonly [Key in keyof pulumi.Unwrap<Args>]: pulumi.Unwrap<Args>[Key] };

export interface Made {
    readonly id: string;
    readonly outputs: Properties;
}

/** What the played cloud does for one type of resource. */
export interface Handler<Args> {
    /** Inputs that the AWS provider can't change in place ("ForceNew" in its schema). */
    readonly replaces: readonly (keyof Args & string)[];
    create(inputs: Inputs<Args>, name: string, log: (line: string) => void): Promise<Made> | Made;
    /** Changes in place. @returns outputs beside the inputs */
    update?(existing: Existing, inputs: Inputs<Args>): Promise<Properties> | Properties;
    delete(existing: Existing): Promise<void> | void;
}

/** A value that the API can't do without. @throws Error naming it. */
export function needed<T>(value: T | undefined, what: string): T {
    if (value === undefined) {
        throw new Error(`api error MissingParameter: The request must contain the parameter ${what}`);
    }
    return value;
}

/** Without keys whose values are undefined. */
export function defined<T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
        [Key in keyof T]: Exclude<T[Key], undefined>;
    };
}
