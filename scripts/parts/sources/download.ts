import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Extra } from "../extras";
import { RECIPE_DIRECTORY } from "../recipe-digest";
import { findByRecipe, rememberRecipe } from "../store";
import { wantedVersions, type Versions, versionsKey } from "../versions";
import type { PartsRequest, PartsSource } from "./source";
import { late } from "../../support/late";

/**
 * Downloads upstream's release files (downloads.yaml), each checked against its published sha256. Any version that upstream
 * has can be had. There are no images in these parts: where upstream can be reached the nodes pull them from their registries.
 */
export const downloadSource: PartsSource = {
    async find(request, progress) {
        const extras = await downloadedExtras(request);
        return findByRecipe(downloadKey(wantedVersions(request.versions), extras), progress);
    },

    async get(request, progress) {
        const versions = wantedVersions(request.versions);
        const extras = await downloadedExtras(request);
        const { downloadParts } = await late<typeof import("../download/download")>(require, "../download/download");
        const { mirrorFromEnvironment } = await late<typeof import("../download/releases")>(
            require,
            "../download/releases",
        );
        const without = extras.length > 0 ? await findByRecipe(downloadKey(versions, []), progress) : undefined;
        const parts = await downloadParts(versions, { mirror: mirrorFromEnvironment(), extras, without }, progress);
        rememberRecipe(downloadKey(versions, extras), parts.digest);
        return parts;
    },
};

/** Those of the extras asked for that a download brings. */
async function downloadedExtras({ extras = [] }: PartsRequest): Promise<readonly Extra[]> {
    if (extras.length === 0) {
        return [];
    }
    const releases = await late<typeof import("../download/releases")>(require, "../download/releases");
    return releases.downloadedExtras(extras);
}

/** Digest of all that says what a download gives: the versions, the extras, and where in which file the parts are. */
function downloadKey(versions: Versions, extras: readonly Extra[]): string {
    const table = readFileSync(join(RECIPE_DIRECTORY, "downloads.yaml"));
    const hash = createHash("sha256").update(versionsKey(versions)).update(table);
    return [`download-${hash.digest("hex").slice(0, 16)}`, ...[...extras].sort()].join("-");
}
