import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LastSet } from "./types";

/** When the parts of a machine that set routes and rules last did: seconds since 1970, by name. */
export type Facts = Readonly<Record<string, number>>;

export const factsScript = (): string => readFileSync(join(__dirname, "facts.sh"), "utf8");

/** What facts.sh prints. */
export function parseFacts(text: string): Facts {
    return Object.fromEntries(
        text
            .trim()
            .split("\n")
            .map((line) => line.split(" "))
            .filter(([name, seconds]) => name !== undefined && Number.isFinite(Number(seconds ?? "none")))
            .map(([name = "", seconds]): [string, number] => [name, Number(seconds)]),
    );
}

/** @param seconds since 1970; undefined where nothing tells. */
export function lastSet(seconds: number | undefined, of: string): LastSet {
    return seconds === undefined ? UNKNOWN : { at: isoTime(new Date(seconds * 1000)), of };
}

/** @param at ISO 8601. */
export function setAt(at: string | undefined, of: string): LastSet {
    return at === undefined ? UNKNOWN : { at: isoTime(new Date(at)), of };
}

export const UNKNOWN: LastSet = { of: "unknown" };

function isoTime(date: Date): string {
    return date.toISOString().replace(/\.\d+Z$/, "Z");
}
