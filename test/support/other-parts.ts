import { join } from "node:path";
import { ensureParts, type PartsDirectory } from "../../scripts/parts";
import { withLock } from "../../scripts/parts/lock";
import type { PartFile } from "../../scripts/parts/manifest";
import { partsRoot } from "../../scripts/parts/paths";
import { commitParts, linkFile, newIncoming } from "../../scripts/parts/store";

const quiet = (): void => undefined;

/** The parts of every cluster, as usual. */
export function usualParts(): Promise<PartsDirectory> {
    return ensureParts({ source: "auto" }, quiet);
}

/**
 * The usual parts with other programs in place of some. They stay in the cache.
 *
 * @param versions of the parts that are others.
 * @param other writes the program in place of one of the usual below `incoming`; undefined for one that stays.
 */
export async function otherParts(
    versions: Readonly<Record<string, string>>,
    other: (file: PartFile, usual: PartsDirectory, incoming: string) => Promise<PartFile | undefined>,
): Promise<PartsDirectory> {
    const usual = await usualParts();
    return withLock(join(partsRoot(), ".lock"), quiet, async () => {
        const incoming = newIncoming();
        const files: PartFile[] = [];
        for (const file of usual.manifest.files) {
            files.push((await other(file, usual, incoming)) ?? linkFile(usual.path, file, incoming));
        }
        return commitParts(incoming, {
            ...usual.manifest,
            versions: { ...usual.manifest.versions, ...versions },
            files,
        });
    });
}
