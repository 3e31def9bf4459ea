import { join } from "node:path";
import { UserError } from "../support/errors";
import type { Progress } from "../support/progress";
import { type GetRequest, type SourceName, SOURCES } from "./contract";
import { withLock } from "./lock";
import { partsRoot } from "./paths";
import { autoSource } from "./sources/auto";
import { buildSource } from "./sources/build";
import { directorySource } from "./sources/directory";
import { downloadSource } from "./sources/download";
import type { PartsSource } from "./sources/source";
import type { PartsDirectory } from "./store";
import { rememberWhole } from "./verify";
import { late } from "../support/late";

export { exportParts, importParts } from "./transfer";
export { listDigests, openParts, type PartsDirectory, readParts } from "./store";
export type { Manifest } from "./manifest";
export { findDamage } from "./verify";

/** Milliseconds that upstream's servers have to take a connection before they count as out of reach. */
const REACHABLE_WITHIN = 1_500;

/**
 * The parts, from the cache where they are there and whole, else from their source.
 *
 * @param progress gets a line per thing that is got or found damaged; none where all is there.
 * @throws UserError where the source can't give what is asked for, or something to get it is missing here.
 */
export async function ensureParts(options: GetRequest, progress: Progress): Promise<PartsDirectory> {
    const source = sourceNamed(options.source);
    const request = { versions: options.versions ?? {}, directory: options.directory, extras: options.extras };
    const found = await source.find(request, progress);
    if (found !== undefined) {
        rememberWhole(found.path, found.manifest);
        return found;
    }
    return withLock(join(partsRoot(), ".lock"), progress, async () => {
        // Whoever held the lock before may have got them.
        return (await source.find(request, () => undefined)) ?? source.get(request, progress);
    });
}

/** Parts that are in the cache: without the network and without a build. */
export async function findParts(
    { source, directory, versions = {}, extras }: GetRequest,
    progress: Progress,
): Promise<PartsDirectory | undefined> {
    return sourceNamed(source).find({ versions, directory, extras }, progress);
}

function sourceNamed(name: SourceName): PartsSource {
    switch (name) {
        case "auto":
            return autoSource({ download: downloadSource, build: buildSource, whyUnreachable: whyUpstreamUnreachable });
        case "build":
            return buildSource;
        case "download":
            return downloadSource;
        case "directory":
            return directorySource;
        default:
            throw new UserError(
                `there is no source '${String(name satisfies never)}': it is one of ${SOURCES.join(", ")}`,
            );
    }
}

async function whyUpstreamUnreachable(): Promise<string | undefined> {
    const { whyUnreachable } = await late<typeof import("./download/reachable")>(require, "./download/reachable");
    const { mirrorFromEnvironment, releaseFiles } = await late<typeof import("./download/releases")>(
        require,
        "./download/releases",
    );
    const { pinnedVersions } = await late<typeof import("./versions")>(require, "./versions");
    const urls = releaseFiles(pinnedVersions(), mirrorFromEnvironment()).map(({ url }) => new URL(url).origin);
    const reasons = await Promise.all([...new Set(urls)].map((url) => whyUnreachable(url, REACHABLE_WITHIN)));
    return reasons.find((reason) => reason !== undefined);
}
