import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileCapability } from "../oci/capability";
import type { TarEntry } from "../oci/tar";
import type { LayerRecipe } from "../recipe";
import { RECIPE_DIRECTORY } from "../recipe-digest";
import { locate, MERGED, pickFiles } from "./debian";

/** Where the things are that layers are made of. */
export interface LayerSources {
    /** Finds a file by its path in `programs` of the recipe, e.g. `bin/coredns` or `image/agnhost`. */
    readonly program: (path: string) => string;
    readonly pause: string;
    /** Directory of the unpacked Debian packages; they are unpacked when it is asked for. */
    readonly debian: () => Promise<string>;
    /** Source of k8s.io/kubernetes. */
    readonly kubernetes: string;
}

/** The members of a layer, with the directories they are in. */
export async function layerEntries(recipe: LayerRecipe, sources: LayerSources): Promise<TarEntry[]> {
    const entries: TarEntry[] = [
        ...Object.entries(recipe.programs).map(([path, program]) =>
            programEntry(path, sources.program(program), recipe),
        ),
        ...(recipe.pause === undefined ? [] : [file(recipe.pause, readFileSync(sources.pause), 0o755)]),
        ...Object.entries(recipe.source).map(([path, from]) =>
            file(path, readFileSync(join(sources.kubernetes, from))),
        ),
        ...(recipe.debian.length === 0 ? [] : await pickFiles(await sources.debian(), recipe.debian)),
        ...(recipe.certificates === undefined ? [] : [file(recipe.certificates, certificates(await sources.debian()))]),
        ...ownFiles(recipe),
        ...Object.entries(recipe.directories).map(([path, text]) => directory(path, text)),
        ...recipe.applets
            .split(/\s+/)
            .filter(Boolean)
            .map((applet) => link(`usr/bin/${applet}`, "busybox")),
        ...Object.entries(recipe.links).map(([path, target]) => link(path, target)),
    ];
    const merged = entries.some(({ path }) => path.startsWith("usr/"))
        ? MERGED.map((top) => link(top, `usr/${top}`))
        : [];
    const parents = merged.length > 0 ? MERGED.map((top) => directory(`usr/${top}`, "755")) : [];
    return withParents([...merged, ...parents, ...entries]);
}

/** The files below images/ that a layer has, in the order of their paths. */
export function ownFiles({ files }: Pick<LayerRecipe, "files">): TarEntry[] {
    return files === undefined ? [] : filesBelow(join(RECIPE_DIRECTORY, "images", files));
}

/** Adds the directories that members are in; where a path comes twice the first one counts. */
export function withParents(entries: readonly TarEntry[]): TarEntry[] {
    const byPath = new Map<string, TarEntry>();
    for (const entry of entries) {
        if (!byPath.has(entry.path)) {
            byPath.set(entry.path, entry);
        }
    }
    for (const path of [...byPath.keys()]) {
        const elements = path.split("/").slice(0, -1);
        elements.forEach((_, index) => {
            const parent = elements.slice(0, index + 1).join("/");
            if (!byPath.has(parent)) {
                byPath.set(parent, directory(parent, "755"));
            }
        });
    }
    return [...byPath.values()];
}

function programEntry(path: string, from: string, recipe: LayerRecipe): TarEntry {
    const capability = recipe.capabilities[path];
    const entry = file(path, readFileSync(from), parseInt(recipe.modes?.[path] ?? "755", 8));
    return capability === undefined
        ? entry
        : { ...entry, attributes: { "security.capability": fileCapability(capability) } };
}

/** All certificates of Debian's ca-certificates in one file, as its update-ca-certificates writes it. */
function certificates(tree: string): Buffer {
    const directoryOf = locate(tree, "usr/share/ca-certificates/mozilla");
    return Buffer.concat(
        readdirSync(directoryOf)
            .filter((name) => name.endsWith(".crt"))
            .sort()
            .map((name) => readFileSync(join(directoryOf, name))),
    );
}

function filesBelow(root: string): TarEntry[] {
    return readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => {
            const full = join(entry.parentPath, entry.name);
            // The checkout's other permission bits depend on the umask.
            const executable = (statSync(full).mode & 0o100) !== 0;
            return file(full.slice(root.length + 1), readFileSync(full), executable ? 0o755 : 0o644);
        });
}

function file(path: string, content: Buffer, mode = 0o644): TarEntry {
    return { path, type: "file", mode, content };
}

/** @param text mode and, where it isn't root, owner: `755 100:101`. */
function directory(path: string, text: string): TarEntry {
    const [mode = "755", owner = "0:0"] = text.split(" ");
    const [uid = 0, gid = 0] = owner.split(":").map(Number);
    return { path, type: "directory", mode: parseInt(mode, 8), uid, gid };
}

function link(path: string, target: string): TarEntry {
    return { path, type: "symlink", mode: 0o777, target };
}
