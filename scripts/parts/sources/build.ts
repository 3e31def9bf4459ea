import { UserError } from "../../support/errors";
import { recipeKey } from "../recipe-digest";
import { findByRecipe, rememberRecipe } from "../store";
import { differingVersions, type PartsRequest, type PartsSource } from "./source";
import { late } from "../../support/late";

/** Builds the parts from the upstream Go modules and Debian packages that parts.yaml and images.yaml pin. */
export const buildSource: PartsSource = {
    async find(request, progress) {
        const parts = await findByRecipe(recipeKey(request.extras ?? []), progress);
        if (parts !== undefined) {
            refuseOtherVersions(request, parts.manifest.versions);
        }
        return parts;
    },

    async get(request, progress) {
        // What only a build needs is loaded only for one.
        const { readRecipe, selectParts } = await late<typeof import("../recipe")>(require, "../recipe");
        const extras = request.extras ?? [];
        const recipe = selectParts(readRecipe(), extras);
        refuseOtherVersions(request, recipe.versions);
        const key = recipeKey(extras);
        const { buildParts } = await late<typeof import("../build/build")>(require, "../build/build");
        const parts = await buildParts(recipe, progress);
        rememberRecipe(key, parts.digest);
        return parts;
    },
};

function refuseOtherVersions(request: PartsRequest, pinned: Readonly<Record<string, string>>): void {
    const differing = differingVersions(request.versions, pinned);
    if (differing.length > 0) {
        throw new UserError(
            `the source 'build' builds the versions that scripts/parts/parts.yaml and scripts/parts/go/*/go.mod pin, and not ` +
                `${differing.join(", ")}. Take the version out of kubelab:versions, change the pins, or use parts of that ` +
                `version with the source 'directory'`,
        );
    }
}
