import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { UserError } from "../support/errors";
import { ARCHITECTURE, RECIPE_DIRECTORY } from "./recipe-digest";

export type Versions = Readonly<Record<string, string>>;

/** The version of every part that parts.yaml pins. */
export function pinnedVersions(): Versions {
    const text = readFileSync(join(RECIPE_DIRECTORY, "parts.yaml"), "utf8");
    return (parse(text) as { readonly versions: Versions }).versions;
}

/**
 * The version of every part: the one asked for, else the pinned one.
 *
 * @throws UserError for a part that isn't one and for what can't be a version.
 */
export function wantedVersions(asked: Versions): Versions {
    const pinned = pinnedVersions();
    for (const [part, version] of Object.entries(asked)) {
        if (!Object.hasOwn(pinned, part)) {
            throw new UserError(`there is no part ${part}: the parts are ${Object.keys(pinned).join(", ")}`);
        }
        if (!/^\d+(\.\d+)*([-+.][0-9A-Za-z.+-]+)?$/.test(version)) {
            throw new UserError(`${JSON.stringify(version)} is no version of ${part}: give one like ${pinned[part]}`);
        }
    }
    return { ...pinned, ...asked };
}

/** A short name for a set of versions on this architecture, as parts that have them are remembered by. */
export function versionsKey(versions: Versions): string {
    const sorted = Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash("sha256")
        .update(JSON.stringify([ARCHITECTURE, sorted]))
        .digest("hex")
        .slice(0, 16);
}
