import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Extra } from "./extras";
import { readRecipe, selectParts } from "./recipe";
import type { PartsDirectory } from "./store";

/** Paths of the images that an extra brings; none where parts came by download: nodes pull upstream's then. */
export function imagesOf(extra: Extra, { path }: Pick<PartsDirectory, "path">): string[] {
    const recipe = readRecipe();
    const common = new Set(selectParts(recipe, []).images.map(({ file }) => file));
    return selectParts(recipe, [extra])
        .images.filter(({ file }) => !common.has(file))
        .map(({ file }) => join(path, "images", file))
        .filter((file) => existsSync(file));
}
