import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { allFilesOf } from "../../components/steps/parts/files";
import type { Manifest } from "../parts/manifest";
import { labNames } from "./names";

/** Paths of what machines of any role need. */
const NEEDED = new Set(allFilesOf({ role: "control-plane" }));

/**
 * Makes a directory that lies below a new machine's own disk, as a VM image with the parts in it would: every program at
 * `/opt/kubelab/parts/<sha256>/<name>`, where a push over SSH would put it. The files are hard links, so they take no room and
 * stay when the cache goes.
 *
 * @returns the directory; undefined when the cache is on another file system, where the parts are pushed instead.
 */
export function preloadParts(lab: string, partsDirectory: string): string | undefined {
    const directory = preloadedParts(lab, partsDirectory);
    if (existsSync(directory)) {
        return directory;
    }
    const unfinished = `${directory}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    const { files } = JSON.parse(readFileSync(join(partsDirectory, "manifest.json"), "utf8")) as Manifest;
    try {
        for (const { path, sha256 } of files.filter((file) => NEEDED.has(file.path))) {
            const place = join(unfinished, "opt/kubelab/parts", sha256);
            mkdirSync(place, { recursive: true, mode: 0o755 });
            linkSync(join(partsDirectory, path), join(place, basename(path)));
        }
    } catch (error) {
        rmSync(unfinished, { recursive: true, force: true });
        if ((error as NodeJS.ErrnoException).code === "EXDEV") {
            return undefined;
        }
        throw error;
    }
    renameSync(unfinished, directory);
    return directory;
}

/** Where `preloadParts` puts them. */
export function preloadedParts(lab: string, partsDirectory: string): string {
    return join(labNames(lab).directory, `.parts-${basename(partsDirectory)}`);
}
