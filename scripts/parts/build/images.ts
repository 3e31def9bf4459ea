import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { PartImage } from "../manifest";
import { ociArchive } from "../oci/archive";
import { type TarEntry, tarArchive } from "../oci/tar";
import type { ImageRecipe, Recipe } from "../recipe";
import { buildRoot } from "../paths";
import { ARCHITECTURE } from "../recipe-digest";
import { PARTS_TIME } from "../verify";
import type { Counter } from "./counter";
import { unpackPackages } from "./debian";
import { type ImageInputs, imageInputs, layersBelow } from "./image-inputs";
import { layerEntries, type LayerSources, withParents } from "./layer";
import { makeParent, step, type StepOutput } from "./step";

/** A step that has made an image. */
export interface ImageOutput extends StepOutput {
    readonly image: PartImage;
}

/** Assembles the images, each in a step of its own; layers that several images have are made once. */
export async function buildImages(recipe: Recipe, inputs: ImageInputs, counter: Counter): Promise<ImageOutput[]> {
    const unpacked = join(buildRoot(), "unpacked");
    rmSync(unpacked, { recursive: true, force: true });
    const layers = layerBuilder(recipe, inputs, unpacked);
    const outputs: ImageOutput[] = [];
    try {
        for (const image of recipe.images) {
            const name = basename(image.file, ".tar");
            const output = await step(`image-${name}`, imageInputs(recipe, image, inputs), (directory) =>
                assemble(image, layers, directory),
            );
            counter.done(`images/${image.file}${output.reused ? " (kept)" : ""}`);
            const described = readFileSync(join(output.directory, DESCRIPTION), "utf8");
            outputs.push({ ...output, image: JSON.parse(described) as PartImage });
        }
    } finally {
        rmSync(unpacked, { recursive: true, force: true });
    }
    return outputs;
}

const DESCRIPTION = "image.json";

async function assemble(
    image: ImageRecipe,
    layer: (name: string) => Promise<Buffer>,
    directory: string,
): Promise<void> {
    const contents: Buffer[] = [];
    for (const name of image.layers) {
        contents.push(await layer(name));
    }
    const archive = ociArchive(image.name, ARCHITECTURE, configurationOf(image), contents, PARTS_TIME);
    const file = `images/${image.file}`;
    makeParent(join(directory, file));
    writeFileSync(join(directory, file), archive.content, { mode: 0o644 });
    const described: PartImage = { file, name: image.name, digest: archive.digest };
    writeFileSync(join(directory, DESCRIPTION), JSON.stringify(described));
}

/**
 * Makes layers as tar archives by their names. Only what another image or layer asks for again is kept: with all programs in
 * memory at once a build would need a gigabyte.
 *
 * @param unpacked where Debian packages are unpacked, once they are asked for.
 */
function layerBuilder(
    recipe: Recipe,
    { programs, pause, kubernetes, packages }: ImageInputs,
    unpacked: string,
): (name: string) => Promise<Buffer> {
    const tree = keeping(
        () => true,
        async (directory) => {
            const target = join(unpacked, basename(directory));
            await unpackPackages(directory, target);
            return target;
        },
    );
    const sources: Omit<LayerSources, "debian"> = {
        pause: join(pause.directory, "pause"),
        kubernetes,
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
            return layerEntries(layer, { ...sources, debian: () => tree(packages(name).directory) });
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
