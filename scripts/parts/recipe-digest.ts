import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Extra } from "./extras";

/** Where parts.yaml, images.yaml, the go.mod files and the images' own files are. */
export const RECIPE_DIRECTORY = __dirname;

/** The processor architecture that parts are built for, as Go and OCI call it. */
export const ARCHITECTURE = "amd64";

/**
 * Digest (16 hex digits) of all that says what a build makes: parts.yaml, images.yaml, every go.mod and go.sum, the images'
 * files and the architecture. It reads and hashes, and parses nothing, since every `up` asks for it.
 */
export function recipeDigest(directory: string = RECIPE_DIRECTORY): string {
    const files = ["parts.yaml", "images.yaml", ...filesBelow(directory, "go"), ...filesBelow(directory, "images")];
    const hash = createHash("sha256").update(`${ARCHITECTURE}\n`);
    for (const file of files.sort()) {
        const content = readFileSync(join(directory, file));
        hash.update(`${file} ${content.length}\n`).update(content);
    }
    return hash.digest("hex").slice(0, 16);
}

/** What the parts that a build makes are remembered by: the recipe, and which of its extras are in them. */
export function recipeKey(extras: readonly Extra[]): string {
    return [recipeDigest(), ...[...new Set(extras)].sort()].join("-");
}

function filesBelow(directory: string, folder: string): string[] {
    return readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}
