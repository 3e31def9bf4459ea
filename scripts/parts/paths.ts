import { join } from "node:path";
import { cacheDirectory } from "../support/paths";

/** Where all parts directories are. */
export function partsRoot(): string {
    return join(cacheDirectory(), "parts");
}

/** The parts directory of this digest; openParts() checks that it is there. */
export function partsPath(digest: string): string {
    return join(partsRoot(), digest);
}

/** Downloads that are under way or finished, until they are parts; by the sha256 of their content. */
export function downloadRoot(): string {
    return join(cacheDirectory(), "download");
}

/** Finished steps of a build (one per Go project, image, …), by the digest of their inputs. */
export function buildRoot(): string {
    return join(cacheDirectory(), "build");
}
