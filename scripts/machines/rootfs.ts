import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { endingWithParent } from "../support/ends-with-parent";
import { UserError } from "../support/errors";
import { cacheDirectory } from "../support/paths";
import type { Progress } from "../support/progress";
import { withLock } from "./commands";
import { finishRootfs, LEFT_OUT, PACKAGES, type Release, RELEASES, rootfsDigest } from "./rootfs-recipe";

/** Where the root file system of a digest is, or would be. */
export function rootfsPath(digest: string): string {
    return join(cacheDirectory(), "rootfs", digest);
}

/**
 * The Debian root file system that every machine's disk begins as: built with mmdebstrap from this host's own package sources
 * when it isn't in the cache.
 *
 * @param more packages beside those of every machine.
 * @returns its directory
 * @throws UserError with the last lines of the build's log when it fails
 */
export async function ensureRootfs(
    progress: Progress,
    release?: Release,
    more: readonly string[] = [],
): Promise<string> {
    const path = rootfsPath([rootfsDigest(release), ...more].join("-"));
    if (existsSync(path)) {
        return path;
    }
    return withLock(
        dirname(path),
        async () => {
            if (!existsSync(path)) {
                await build(path, release ?? RELEASES[0], [...PACKAGES, ...more], progress);
            }
            return path;
        },
        () => {
            progress("waiting for the root file system that another process is building");
        },
    );
}

/** Called with the lock held, so that what an interrupted build left is nobody's. */
async function build(path: string, release: Release, packages: readonly string[], progress: Progress): Promise<void> {
    const started = Date.now();
    for (const name of readdirSync(dirname(path)).filter((entry) => entry.startsWith(".building-"))) {
        removeLeftover(join(dirname(path), name));
    }
    const temporary = mkdtempSync(join(dirname(path), ".building-"));
    chmodSync(temporary, 0o755);
    const root = join(temporary, "root");
    progress(
        `building the machines' root file system (Debian ${release}, ${packages.length} packages; once, about a minute)`,
    );
    await mmdebstrap(root, release, packages, (line) => {
        (progress.now ?? progress)(line);
    });
    finishRootfs(root);
    // Renamed only when it is whole and on the disk.
    spawnSync("sync", ["--file-system", root]);
    renameSync(root, path);
    removeLeftover(temporary);
    progress(`root file system ready after ${((Date.now() - started) / 1000).toFixed(1)} s: ${path}`);
}

/** What a killed build has left, unless a process of it still writes there: then the next build takes it away. */
function removeLeftover(directory: string): void {
    try {
        rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
        if (!["ENOTEMPTY", "EBUSY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) {
            throw error;
        }
    }
}

async function mmdebstrap(
    root: string,
    release: Release,
    packages: readonly string[],
    progress: Progress,
): Promise<void> {
    const sources = hostSources(release);
    const args = [
        "--mode=root",
        "--format=directory",
        "--variant=minbase",
        ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
        `--include=${packages.join(",")}`,
        release,
        root,
        ...(sources.length > 0 ? ["-"] : []),
    ];
    // It takes its mounts away when it is told to end.
    const [file, ...words] = endingWithParent(["mmdebstrap", ...args]);
    const child = spawn(file, words, { stdio: ["pipe", "ignore", "pipe"] });
    child.stdin.end(sources.join("\n"));
    const log: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        for (const line of chunk.split("\n").filter((text) => text !== "")) {
            log.push(line);
            const step = /^I: (.*)$/.exec(line)?.[1];
            if (step !== undefined) {
                progress(step);
            }
        }
    });
    const code = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject).on("close", resolve);
    });
    if (code !== 0) {
        throw new UserError(
            `mmdebstrap couldn't build the machines' root file system (exit ${code}). Can this host's own apt sources be reached ` +
                `(apt-get update), and is there room below ${cacheDirectory()}? Its last lines:\n${log.slice(-15).join("\n")}`,
        );
    }
}

/** Debian's entries for the release among this host's apt sources; none leaves the choice to mmdebstrap. */
function hostSources(release: Release): string[] {
    const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(SIGNED_BY)";
    const result = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
        encoding: "utf8",
    });
    return sourceLines(result.status === 0 ? result.stdout : "", release);
}

/** apt's one-line entries from lines `uri|release|component|origin|signed-by`; apt leaves what is unset as `$(NAME)`. */
export function sourceLines(targets: string, suite: string): string[] {
    const suites = [suite, `${suite}-updates`, `${suite}-security`];
    const lines = targets.split("\n").flatMap((line) => {
        const [uri = "", release = "", component = "", origin = "", signedBy = ""] = line.split("|");
        const debian = origin === "Debian" || origin === "" || origin.startsWith("$(");
        if (!debian || component !== "main" || !suites.includes(release)) {
            return [];
        }
        const options = signedBy.startsWith("/") ? `[signed-by=${signedBy}] ` : "";
        return [`deb ${options}${uri} ${release} ${component}`];
    });
    return lines.some((line) => line.endsWith(` ${suite} main`)) ? [...new Set(lines)] : [];
}
