import { createHash } from "node:crypto";
import { createReadStream, lutimesSync, readFileSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Manifest, manifestDigest, parseManifest, type PartFile } from "./manifest";

/**
 * Every file of a parts directory has this modification time (seconds since 1970): one that has another was written to after
 * it was checked.
 */
export const PARTS_TIME = 1_577_836_800;

/** sha256 of a file's content, lower-case hex. */
export async function sha256OfFile(path: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
    return hash.digest("hex");
}

/**
 * Reads a parts directory's manifest.
 *
 * @throws Error where there is none or its text isn't a manifest.
 */
export function readManifest(directory: string): { readonly manifest: Manifest; readonly digest: string } {
    const path = join(directory, "manifest.json");
    const text = readFileSync(path);
    try {
        return { manifest: parseManifest(text.toString("utf8")), digest: manifestDigest(text) };
    } catch (error) {
        throw new Error(`${path}: ${(error as Error).message}`);
    }
}

/**
 * Problems of the files in a parts directory, one sentence per file; empty when all are whole. `quick` trusts a file
 * that has the right size and PARTS_TIME as its time, and reads only the others; `full` reads all of them. Changes nothing.
 */
export async function findDamage(directory: string, manifest: Manifest, depth: "quick" | "full"): Promise<string[]> {
    const damage: string[] = [];
    for (const file of manifest.files) {
        const problem = await fileDamage(directory, file, depth);
        if (problem !== undefined) {
            damage.push(problem);
        }
    }
    return damage;
}

async function fileDamage(directory: string, file: PartFile, depth: "quick" | "full"): Promise<string | undefined> {
    const path = join(directory, file.path);
    let stats: Stats;
    try {
        stats = statSync(path);
    } catch {
        return `${file.path} is missing`;
    }
    if (stats.size !== file.size) {
        return `${file.path} has ${stats.size} bytes instead of ${file.size}`;
    }
    const untouched = stats.mtimeMs === PARTS_TIME * 1000;
    if (depth === "quick" && untouched && modeOf(stats) === file.mode) {
        return undefined;
    }
    const sha256 = await sha256OfFile(path);
    if (sha256 !== file.sha256) {
        return `${file.path} has the sha256 ${sha256} instead of ${file.sha256}`;
    }
    if (modeOf(stats) !== file.mode) {
        return `${file.path} has the mode ${modeOf(stats)} instead of ${file.mode}`;
    }
    return undefined;
}

/**
 * Sets the time that says "checked" on files that were found whole and have another: a quick check reads them no more. Where they can't be
 * changed they are read again the next time.
 */
export function rememberWhole(directory: string, manifest: Manifest): void {
    for (const path of manifest.files.map((file) => join(directory, file.path))) {
        try {
            if (statSync(path).mtimeMs !== PARTS_TIME * 1000) {
                lutimesSync(path, PARTS_TIME, PARTS_TIME);
            }
        } catch (error) {
            if (!["EROFS", "EPERM", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) {
                throw error;
            }
        }
    }
}

/** Permission bits of a file as a manifest writes them, e.g. `0755`. */
export function modeOf(stats: Stats): string {
    return `0${(stats.mode & 0o777).toString(8).padStart(3, "0")}`;
}
