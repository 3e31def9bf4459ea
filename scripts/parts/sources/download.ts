import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RECIPE_DIRECTORY } from "../recipe-digest";
import { findByRecipe, rememberRecipe } from "../store";
import { wantedVersions, type Versions, versionsKey } from "../versions";
import type { PartsSource } from "./source";

/**
 * Downloads upstream's release files (downloads.yaml), each checked against its published sha256. Any version that upstream
 * has can be had. There are no images in these parts: where upstream can be reached the nodes pull them from their registries.
 */
export const downloadSource: PartsSource = {
    async find(request, progress) {
        return findByRecipe(downloadKey(wantedVersions(request.versions)), progress);
    },

    async get(request, progress) {
        const versions = wantedVersions(request.versions);
        const { downloadParts } = await import("../download/download");
        const { mirrorFromEnvironment } = await import("../download/releases");
        const parts = await downloadParts(versions, { mirror: mirrorFromEnvironment() }, progress);
        rememberRecipe(downloadKey(versions), parts.digest);
        return parts;
    },
};

/** Digest of all that says what a download gives: the versions, and where in which file the parts are. */
function downloadKey(versions: Versions): string {
    const table = readFileSync(join(RECIPE_DIRECTORY, "downloads.yaml"));
    const hash = createHash("sha256").update(versionsKey(versions)).update(table);
    return `download-${hash.digest("hex").slice(0, 16)}`;
}
