import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartImage } from "../manifest";
import { ociArchive } from "../oci/archive";
import { type TarEntry, tarArchive } from "../oci/tar";
import type { ImageRecipe, Recipe } from "../recipe";
import { ARCHITECTURE, recipeDigest } from "../recipe-digest";
import { PARTS_TIME } from "../verify";
import type { Counter } from "./counter";
import { unpackPackages } from "./debian";
import { layerEntries, type LayerSources, withParents } from "./layer";
import { step, type StepOutput } from "./step";

export interface ImageInputs {
    /** What the projects' builds, the pause build and the download of Debian packages have made. */
    readonly programs: readonly StepOutput[];
    readonly pause: StepOutput;
    readonly packages: StepOutput;
    /** Source of k8s.io/kubernetes. */
    readonly kubernetes: string;
}

/** Assembles all images; layers that several images have are made once. */
export async function buildImages(recipe: Recipe, inputs: ImageInputs, counter: Counter): Promise<ImagesOutput> {
    const { programs, pause, packages } = inputs;
    const output = await step(
        "images",
        {
            recipe: [recipe.layers, recipe.images, recipe.format, recipeDigest()],
            files: [...programs, pause, packages].flatMap(({ files }) =>
                files.map(({ path, sha256 }) => [path, sha256]),
            ),
        },
        (directory) => assemble(recipe, inputs, directory, counter),
    );
    if (output.reused) {
        recipe.images.forEach(({ file }) => counter.done(`images/${file} (kept)`));
    }
    const images = JSON.parse(readFileSync(join(output.directory, "images.json"), "utf8")) as readonly PartImage[];
    return { ...output, images };
}

export interface ImagesOutput extends StepOutput {
    readonly images: readonly PartImage[];
}

async function assemble(recipe: Recipe, inputs: ImageInputs, directory: string, counter: Counter): Promise<void> {
    const debian = join(directory, "debian");
    rmSync(debian, { recursive: true, force: true });
    await unpackPackages(inputs.packages, debian);
    const layers = await buildLayers(recipe, { ...inputs, debian });
    rmSync(debian, { recursive: true });
    mkdirSync(join(directory, "images"), { recursive: true });
    const images = recipe.images.map((image): PartImage => {
        const contents = image.layers.map((name) => layers.get(name) ?? missingLayer(image, name));
        const archive = ociArchive(image.name, ARCHITECTURE, configurationOf(image), contents, PARTS_TIME);
        const file = `images/${image.file}`;
        writeFileSync(join(directory, file), archive.content, { mode: 0o644 });
        counter.done(file);
        return { file, name: image.name, digest: archive.digest };
    });
    writeFileSync(join(directory, "images.json"), JSON.stringify(images));
}

async function buildLayers(
    recipe: Recipe,
    { programs, pause, kubernetes, debian }: ImageInputs & { readonly debian: string },
): Promise<ReadonlyMap<string, Buffer>> {
    const sources: LayerSources = {
        pause: join(pause.directory, "pause"),
        kubernetes,
        debian,
        program: (path) => {
            const output = programs.find(({ files }) => files.some((file) => file.path === path));
            if (output === undefined) {
                throw new Error(`images.yaml wants ${path}, which no project of parts.yaml makes`);
            }
            return join(output.directory, path);
        },
    };
    const members = new Map<string, readonly TarEntry[]>();
    for (const [name, layer] of Object.entries(recipe.layers)) {
        members.set(name, await layerEntries(layer, sources));
    }
    return new Map(
        [...members].map(([name, entries]) => {
            const below = layersBelow(recipe, name).flatMap((lower) => members.get(lower) ?? []);
            return [name, tarArchive(withoutSame(entries, below), PARTS_TIME)];
        }),
    );
}

function layersBelow(recipe: Recipe, name: string): string[] {
    const lower = recipe.layers[name]?.on;
    return lower === undefined ? [] : [lower, ...layersBelow(recipe, lower)];
}

/** What isn't a directory and isn't the same in the layers below, with the directories that the rest is in. */
function withoutSame(entries: readonly TarEntry[], below: readonly TarEntry[]): TarEntry[] {
    const lower = new Map(below.map((entry) => [entry.path, entry]));
    const isSame = (entry: TarEntry): boolean => {
        const other = lower.get(entry.path);
        return (
            other?.type === entry.type &&
            other.mode === entry.mode &&
            other.target === entry.target &&
            (entry.content ?? Buffer.alloc(0)).equals(other.content ?? Buffer.alloc(0))
        );
    };
    return withParents(entries.filter((entry) => !isSame(entry)));
}

function configurationOf(image: ImageRecipe): Parameters<typeof ociArchive>[2] {
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return { ...image, environment: [path] };
}

function missingLayer(image: ImageRecipe, name: string): never {
    throw new Error(`images.yaml: ${image.file} wants the layer ${name}, which isn't there`);
}
