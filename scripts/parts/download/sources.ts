import { createHash } from "node:crypto";
import type { PartSource } from "../contract";
import type { Versions } from "../versions";
import { checksumOf, DEFAULTS, type DownloadOptions } from "./download";
import { inParallel } from "./in-parallel";
import { releaseFiles } from "./releases";

/**
 * Where upstream has every part of these versions, by path in a parts directory, with the checksums that it publishes: all that is
 * downloaded here.
 *
 * @throws UserError for a version that upstream doesn't have.
 * @throws NetworkError where a server can't be reached or fails.
 */
export async function partSources(
    versions: Versions,
    architecture: string,
    given: Partial<DownloadOptions>,
): Promise<Readonly<Record<string, PartSource>>> {
    const options = { ...DEFAULTS, ...given };
    const files = releaseFiles(versions, options.mirror, architecture);
    const checksums = await inParallel(options.parallel, files, (file, signal) => checksumOf(file, options, signal));
    return Object.fromEntries(
        files.flatMap(({ url, members }, index) => {
            const sha256 = checksums[index] ?? "";
            return Object.entries(members).map(([path, member]): [string, PartSource] => [
                path,
                member === undefined
                    ? { fingerprint: sha256, url, sha256 }
                    : { fingerprint: hash(`${sha256}/${member}`), url, sha256, member },
            ]);
        }),
    );
}

function hash(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}
