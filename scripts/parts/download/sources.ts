import { createHash } from "node:crypto";
import type { Versions } from "../versions";
import { checksumOf, DEFAULTS, type DownloadOptions } from "./download";
import { inParallel } from "./in-parallel";
import { releaseFiles } from "./releases";

/** Where a machine downloads one part from. */
export interface PartSource {
    /** 64 hex digits that are others when the part is another: its sha256, or that of its archive's sha256 and its path there. */
    readonly fingerprint: string;
    readonly url: string;
    /** Of what is at the URL, as upstream publishes it. */
    readonly sha256: string;
    /** Path in the archive that is at the URL; the part itself is there where this is missing. */
    readonly member?: string;
}

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
