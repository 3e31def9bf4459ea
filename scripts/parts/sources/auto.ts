import { UserError } from "../../support/errors";
import type { Progress } from "../../support/progress";
import { NetworkError } from "../download/request";
import { recipeKey } from "../recipe-digest";
import { findByRecipe, findImported, type PartsDirectory } from "../store";
import { pinnedVersions, wantedVersions } from "../versions";
import { differingVersions, type PartsRequest, type PartsSource } from "./source";
import { late } from "../../support/late";

export interface AutoSources {
    readonly download: PartsSource;
    readonly build: PartsSource;
    /** Why upstream's servers can't be reached, found out within two seconds; undefined where they can. */
    readonly whyUnreachable: () => Promise<string | undefined>;
}

/**
 * Uses the cache: built, imported or downloaded parts. Else downloads, and builds where upstream's servers are
 * unreachable or fail. A file with a wrong checksum never leads to a build: it is an error.
 */
export function autoSource({ download, build, whyUnreachable }: AutoSources): PartsSource {
    return {
        async find(request, progress) {
            const built = await findByRecipe(recipeKey(request.extras ?? []), progress);
            if (built !== undefined && differingVersions(request.versions, built.manifest.versions).length === 0) {
                return built;
            }
            return (await imported(request, progress)) ?? (await download.find(request, progress));
        },

        async get(request, progress): Promise<PartsDirectory> {
            let reason = await whyUnreachable();
            if (reason === undefined) {
                try {
                    return await download.get(request, progress);
                } catch (error) {
                    if (!(error instanceof NetworkError)) {
                        throw error;
                    }
                    reason = error.message;
                }
            }
            const pinned = pinnedVersions();
            const notPinned = Object.entries(wantedVersions(request.versions))
                .filter(([part, version]) => pinned[part] !== version)
                .map(([part, version]) => `${part} ${version} (pinned: ${pinned[part]})`);
            if (notPinned.length > 0) {
                throw new UserError(
                    `${reason}, and only a download gives other versions than the pinned ones: ${notPinned.join(", ")}. ` +
                        "Try again with the network, bring the parts from another machine with 'scripts/lab parts import', " +
                        "or take the version out of kubelab:versions",
                );
            }
            progress(`${reason}: building the parts instead`);
            return build.get(request, progress);
        },
    };
}

/** Imported parts of these versions that have the extras asked for. */
async function imported(request: PartsRequest, progress: Progress): Promise<PartsDirectory | undefined> {
    const parts = await findImported(wantedVersions(request.versions), progress);
    const extras = request.extras ?? [];
    if (parts === undefined || extras.length === 0) {
        return parts;
    }
    const { extraPaths } = await late<typeof import("../recipe")>(require, "../recipe");
    const there = new Set(parts.manifest.files.map(({ path }) => path));
    const lacking = extraPaths(extras).filter((path) => !there.has(path));
    if (lacking.length > 0) {
        const flags = `--with ${extras.join(",")}`;
        progress(`the imported parts lack ${lacking.join(", ")}: 'scripts/lab parts export ${flags}' has them`);
        return undefined;
    }
    return parts;
}
