import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Progress } from "../support/progress";
import { tryRun, withLock } from "./commands";
import { AS_ROOT } from "./names";
import { asRootOfNamespace } from "./user-namespace";

/** What takes so long that it is kept in the cache. */
export interface Build {
    /** Directory of the cache. */
    readonly path: string;
    /** In words that can follow "building". */
    readonly what: string;
    /**
     * Makes `directory`. What it makes beside it, in the directory above, goes when it is done.
     *
     * @param step says what it is about, a line each.
     */
    readonly make: (directory: string, step: (line: string) => void) => Promise<void>;
}

/** Builds it where it isn't in the cache yet: once, by whoever holds the lock, while others wait. @returns `path` */
export async function buildOnce(build: Build, progress: Progress): Promise<string> {
    const { path, what } = build;
    if (existsSync(path)) {
        return path;
    }
    return withLock(
        dirname(path),
        async () => {
            if (!existsSync(path)) {
                await buildInto(build, progress);
            }
            return path;
        },
        () => {
            progress(`waiting for another process, which is building in ${dirname(path)}; then for ${what}`);
        },
    );
}

/** Called with the lock held, so no other build uses the remains of an interrupted one. */
async function buildInto({ path, what, make }: Build, progress: Progress): Promise<void> {
    const started = Date.now();
    for (const name of readdirSync(dirname(path)).filter((entry) => entry.startsWith(".building-"))) {
        removeLeftover(join(dirname(path), name));
    }
    const temporary = mkdtempSync(join(dirname(path), ".building-"));
    chmodSync(temporary, 0o755);
    const directory = join(temporary, "root");
    progress(`building ${what}; once, about a minute`);
    await make(directory, (line) => {
        (progress.now ?? progress)(line);
    });
    // Renamed only when it is whole and on the disk.
    await once(spawn("sync", ["--file-system", directory], { stdio: "ignore" }), "close");
    renameSync(directory, path);
    removeLeftover(temporary);
    progress(`${what}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s in ${path}`);
}

/** What a killed build has left, unless a process of it still writes there: then the next build takes it away. */
function removeLeftover(directory: string): void {
    if (!AS_ROOT) {
        // Files in it belong to users of a user namespace.
        const [program, ...args] = asRootOfNamespace(["rm", "-rf", directory]);
        tryRun(program, args);
        return;
    }
    try {
        rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
        if (!["ENOTEMPTY", "EBUSY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) {
            throw error;
        }
    }
}
