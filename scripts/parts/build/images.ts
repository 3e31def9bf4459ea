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
    const layer = layerBuilder(recipe, { ...inputs, debian });
    mkdirSync(join(directory, "images"), { recursive: true });
    const images: PartImage[] = [];
    for (const image of recipe.images) {
        const contents: Buffer[] = [];
        for (const name of image.layers) {
            contents.push(await layer(name));
        }
        const archive = ociArchive(image.name, ARCHITECTURE, configurationOf(image), contents, PARTS_TIME);
        const file = `images/${image.file}`;
        writeFileSync(join(directory, file), archive.content, { mode: 0o644 });
        counter.done(file);
        images.push({ file, name: image.name, digest: archive.digest });
    }
    rmSync(debian, { recursive: true });
    writeFileSync(join(directory, "images.json"), JSON.stringify(images));
}

/**
 * Makes layers as tar archives by their names. Only what another image or layer asks for again is kept: with all programs in
 * memory at once a build would need a gigabyte.
 */
function layerBuilder(
    recipe: Recipe,
    { programs, pause, kubernetes, debian }: ImageInputs & { readonly debian: string },
): (name: string) => Promise<Buffer> {
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
    const lower = new Set(Object.values(recipe.layers).map(({ on }) => on));
    const uses = (name: string): number => recipe.images.filter(({ layers }) => layers.includes(name)).length;
    const entries = keeping(
        (name) => lower.has(name),
        async (name) => {
            const layer = recipe.layers[name];
            if (layer === undefined) {
                throw new Error(`images.yaml: an image or layer wants the layer ${name}, which isn't there`);
            }
            return layerEntries(layer, sources);
        },
    );
    return keeping(
        (name) => uses(name) > 1,
        async (name) => {
            const below: TarEntry[] = [];
            for (const other of layersBelow(recipe, name)) {
                below.push(...(await entries(other)));
            }
            return tarArchive(withoutSame(await entries(name), below), PARTS_TIME);
        },
    );
}

/** `make` with the results for the names that `keep` says kept. */
function keeping<Value>(
    keep: (name: string) => boolean,
    make: (name: string) => Promise<Value>,
): (name: string) => Promise<Value> {
    const kept = new Map<string, Promise<Value>>();
    return (name) => {
        const known = kept.get(name);
        if (known !== undefined) {
            return known;
        }
        const made = make(name);
        if (keep(name)) {
            kept.set(name, made);
        }
        return made;
    };
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
