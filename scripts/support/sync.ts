import { closeSync, fsyncSync, openSync } from "node:fs";

/** Returns once the file, or the entries of the directory, are on the disk. */
export function syncPath(path: string): void {
    const descriptor = openSync(path, "r");
    try {
        fsyncSync(descriptor);
    } finally {
        closeSync(descriptor);
    }
}
