import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageRecipe, Recipe } from "../recipe";
import type { LayerPackages } from "./debian";
import { ownFiles } from "./layer";
import type { StepOutput } from "./step";

/** Finished steps that images are made of. */
export interface ImageInputs {
    readonly programs: readonly StepOutput[];
    readonly pause: StepOutput;
    readonly packages: LayerPackages;
    /** Source of k8s.io/kubernetes. */
    readonly kubernetes: string;
}

/** All that an image's bytes depend on, and nothing that only others do. */
export function imageInputs(recipe: Recipe, image: ImageRecipe, sources: ImageInputs): unknown {
    const names = new Set(image.layers.flatMap((name) => [name, ...layersBelow(recipe, name)]));
    const layers = [...names].map((name) => [name, recipe.layers[name], contents(recipe, name, sources)]);
    return { format: recipe.format, image: { ...image, neededBy: undefined }, layers };
}

/** Layers that this one lies on, the nearest first. */
export function layersBelow(recipe: Recipe, name: string): string[] {
    const lower = recipe.layers[name]?.on;
    return lower === undefined ? [] : [lower, ...layersBelow(recipe, lower)];
}

/** What a layer's files have in them: sha256 by path. */
function contents(recipe: Recipe, name: string, { programs, pause, packages, kubernetes }: ImageInputs): unknown {
    const layer = recipe.layers[name];
    if (layer === undefined) {
        return undefined;
    }
    const wanted = new Set(Object.values(layer.programs));
    const made = programs.flatMap(({ files }) => files.filter(({ path }) => wanted.has(path)));
    const debian = layer.debian.length > 0 || layer.certificates !== undefined ? packages(name).files : [];
    return {
        programs: [...made, ...(layer.pause === undefined ? [] : pause.files)].map(({ path, sha256 }) => [
            path,
            sha256,
        ]),
        debian: debian.map(({ path, sha256 }) => [path, sha256]),
        source: Object.values(layer.source).map((path) => [path, sha256(readFileSync(join(kubernetes, path)))]),
        files: ownFiles(layer).map(({ path, mode, content }) => [path, mode, sha256(content ?? Buffer.alloc(0))]),
    };
}

function sha256(content: Buffer): string {
    return createHash("sha256").update(content).digest("hex");
}
