import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { moreImages } from "./names";

/**
 * Has the registry of a local lab serve these images beside those of the parts, from now on.
 *
 * @param files paths of OCI archives, which stay where they are.
 */
export function serveMoreImages(lab: string, files: readonly string[]): void {
    const directory = moreImages(lab);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const file of files) {
        const link = join(directory, basename(file));
        rmSync(link, { force: true });
        symlinkSync(file, link);
    }
}
