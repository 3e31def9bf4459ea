import { z } from "zod";
import * as field from "./fields";
import { suggest } from "./problems";
import type { Role } from "./types";

/** The roles, by what a map of settings calls them. */
export const ROLES = { controlPlanes: "control-plane", workers: "worker" } as const;

/** One value for all machines, or one per role; a role that isn't in the map has the default. */
export function perRole<Choice extends string>(choices: readonly Choice[], standard: Choice) {
    const known: readonly string[] = choices;
    return z.unknown().transform((value, context): Readonly<Record<Role, Choice>> => {
        const isMap = typeof value === "object" && value !== null;
        const given: Readonly<Record<string, unknown>> = isMap
            ? { ...value }
            : { controlPlanes: value, workers: value };
        const unknown = Object.keys(given).filter((key) => !(key in ROLES));
        const wrong = Object.values(given).find((each) => typeof each !== "string" || !known.includes(each));
        if (unknown[0] !== undefined) {
            return field.fault(context, "is no map of roles", suggest(unknown[0], Object.keys(ROLES)));
        }
        if (wrong !== undefined) {
            const text = JSON.stringify(wrong).replace(/"/g, "");
            return field.fault(context, "is not a known value", suggest(text, choices));
        }
        const { controlPlanes = standard, workers = standard } = given as Partial<Record<string, Choice>>;
        return { "control-plane": controlPlanes, worker: workers };
    });
}

/** `value`, or `{controlPlanes: value, workers: value}` where the roles differ: as the config has it. */
export function formatPerRole<Choice extends string>(value: Readonly<Record<Role, Choice>>): string {
    const { "control-plane": controlPlanes, worker: workers } = value;
    return controlPlanes === workers ? controlPlanes : `{controlPlanes: ${controlPlanes}, workers: ${workers}}`;
}

/** What `formatPerRole` has made. */
export function parsePerRole<Choice extends string>(text: string): Readonly<Record<Role, Choice>> {
    const [, controlPlanes = text, workers = text] = /^\{controlPlanes: (.*), workers: (.*)\}$/.exec(text) ?? [];
    return { "control-plane": controlPlanes as Choice, worker: workers as Choice };
}
