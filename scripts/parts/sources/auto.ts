import { UserError } from "../../support/errors";
import { NetworkError } from "../download/request";
import { recipeDigest } from "../recipe-digest";
import { findByRecipe, findImported, type PartsDirectory } from "../store";
import { pinnedVersions, wantedVersions } from "../versions";
import { differingVersions, type PartsSource } from "./source";

export interface AutoSources {
    readonly download: PartsSource;
    readonly build: PartsSource;
    /** Why upstream's servers can't be reached, found out within two seconds; undefined where they can. */
    readonly whyUnreachable: () => Promise<string | undefined>;
}

/**
 * Takes what the cache has: built, imported or downloaded. Else downloads, and builds where upstream's servers can't be reached
 * or fail. A file that isn't what upstream published is no reason to build: that is for a person to look into.
 */
export function autoSource({ download, build, whyUnreachable }: AutoSources): PartsSource {
    return {
        async find(request, progress) {
            const built = await findByRecipe(recipeDigest(), progress);
            if (built !== undefined && differingVersions(request.versions, built.manifest.versions).length === 0) {
                return built;
            }
            return (
                (await findImported(wantedVersions(request.versions), progress)) ??
                (await download.find(request, progress))
            );
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
