import { readdirSync } from "node:fs";
import { join } from "node:path";
import { LABS_DIRECTORY } from "./names";

export interface MachineOnDisk {
    readonly lab: string;
    readonly machine: string;
}

/** Names of the labs that have a directory on this host. */
export function labsOnDisk(): string[] {
    return directoriesIn(LABS_DIRECTORY);
}

/** Every machine that has a disk on this host, of every lab. */
export function machinesOnDisk(): MachineOnDisk[] {
    return labsOnDisk().flatMap((lab) => directoriesIn(join(LABS_DIRECTORY, lab)).map((machine) => ({ lab, machine })));
}

function directoriesIn(directory: string): string[] {
    try {
        return readdirSync(directory, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
            .map((entry) => entry.name)
            .sort();
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return [];
        }
        throw error;
    }
}
