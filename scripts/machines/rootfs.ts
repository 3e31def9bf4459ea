import { join } from "node:path";
import { cacheDirectory } from "../support/paths";
import type { Progress } from "../support/progress";
import { buildOnce } from "./build-once";
import { mmdebstrap } from "./mmdebstrap";
import { finishRootfs, PACKAGES, type Release, RELEASES, rootfsDigest } from "./rootfs-recipe";

/** Where the root file system of a digest is, or would be. */
export function rootfsPath(digest: string): string {
    return join(cacheDirectory(), "rootfs", digest);
}

/**
 * The Debian root file system that every container's disk begins as: built with mmdebstrap from this host's own package sources
 * when it isn't in the cache.
 *
 * @param more packages beside those of every machine.
 * @returns its directory
 * @throws UserError with the last lines of the build's log when it fails
 */
export async function ensureRootfs(
    progress: Progress,
    release: Release = RELEASES[0],
    more: readonly string[] = [],
): Promise<string> {
    const packages = [...PACKAGES, ...more];
    return buildOnce(
        {
            path: rootfsPath([rootfsDigest(release), ...more].join("-")),
            what: `the machines' root file system (Debian ${release}, ${packages.length} packages)`,
            make: async (root, step) => {
                await mmdebstrap({ root, release, packages }, step);
                finishRootfs(root);
            },
        },
        progress,
    );
}
