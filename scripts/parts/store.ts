import {
    copyFileSync,
    existsSync,
    linkSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../support/errors";
import { syncPath } from "../support/sync";
import type { Progress } from "../support/progress";
import { formatManifest, type Manifest, manifestDigest, type PartFile } from "./manifest";
import { partsPath, partsRoot } from "./paths";
import { findDamage, PARTS_TIME, readManifest } from "./verify";
import { type Versions, versionsKey } from "./versions";

/** A whole parts directory. */
export interface PartsDirectory {
    /** Name of the directory: the first 16 hex digits of the manifest's sha256. */
    readonly digest: string;
    readonly path: string;
    readonly manifest: Manifest;
}

const DIGEST = /^[0-9a-f]{16}$/;

/**
 * The parts directory of a digest.
 *
 * @throws UserError where it isn't in the cache or its manifest isn't the one that the digest names.
 */
export function openParts(digest: string): PartsDirectory {
    const parts = DIGEST.test(digest) ? readParts(digest) : undefined;
    if (parts === undefined) {
        throw new UserError(`the parts ${digest} are not in ${partsRoot()}: run 'scripts/lab parts'`);
    }
    return parts;
}

/** The same, or nothing where openParts() would throw. */
export function readParts(digest: string): PartsDirectory | undefined {
    const path = partsPath(digest);
    try {
        const read = readManifest(path);
        return read.digest === digest ? { digest, path, manifest: read.manifest } : undefined;
    } catch {
        return undefined;
    }
}

/** Digests of all parts directories in the cache, whole or not. */
export function listDigests(): string[] {
    return existsSync(partsRoot())
        ? readdirSync(partsRoot())
              .filter((name) => DIGEST.test(name))
              .sort()
        : [];
}

/** The parts that were made from a recipe, where they are there and no file of theirs is damaged. */
export async function findByRecipe(recipe: string, progress: Progress): Promise<PartsDirectory | undefined> {
    const pointer = pointerPath(recipe);
    if (!existsSync(pointer)) {
        return undefined;
    }
    return wholeParts(readFileSync(pointer, "utf8").trim(), progress);
}

/** The parts of a digest after a quick check; says what is damaged. */
export async function wholeParts(digest: string, progress: Progress): Promise<PartsDirectory | undefined> {
    if (!existsSync(partsPath(digest))) {
        return undefined;
    }
    const parts = readParts(digest);
    if (parts === undefined) {
        progress(`${partsPath(digest)} has lost its manifest.json: getting the parts again`);
        return undefined;
    }
    const damage = await findDamage(parts.path, parts.manifest, "quick");
    damage.forEach((problem) => progress(`${parts.path}: ${problem}: getting it again`));
    return damage.length === 0 ? parts : undefined;
}

/**
 * A directory in the cache that does not count as parts until commitParts() gives it its name. Call under the parts
 * lock.
 */
export function newIncoming(): string {
    const root = partsRoot();
    mkdirSync(root, { recursive: true });
    readdirSync(root)
        .filter((name) => name.startsWith(".incoming") || name.startsWith(".damaged"))
        .forEach((name) => rmSync(join(root, name), { recursive: true, force: true }));
    const incoming = join(root, ".incoming");
    ["bin", "cni", "images"].forEach((name) => mkdirSync(join(incoming, name), { recursive: true }));
    return incoming;
}

/** Puts a file that is whole into the parts: the same file by another name where the file system can, else a copy. */
export function linkFile(directory: string, file: PartFile, incoming: string): PartFile {
    const [from, to] = [join(directory, file.path), join(incoming, file.path)];
    try {
        linkSync(from, to);
    } catch {
        copyFileSync(from, to);
        utimesSync(to, PARTS_TIME, PARTS_TIME);
    }
    return file;
}

/** Writes the manifest, brings everything to the disk and gives the directory its name, in place of a damaged one. */
export function commitParts(incoming: string, manifest: Manifest): PartsDirectory {
    const text = formatManifest(manifest);
    const digest = manifestDigest(text);
    const path = partsPath(digest);
    writeFileSync(join(incoming, "manifest.json"), text);
    [...manifest.files.map((file) => file.path), "manifest.json", "bin", "cni", "images", "."].forEach((name) =>
        syncPath(join(incoming, name)),
    );
    if (existsSync(path)) {
        renameSync(path, join(partsRoot(), `.damaged-${digest}`));
    }
    renameSync(incoming, path);
    syncPath(partsRoot());
    rmSync(join(partsRoot(), `.damaged-${digest}`), { recursive: true, force: true });
    return { digest, path, manifest };
}

/** Remembers which parts a recipe makes. */
export function rememberRecipe(recipe: string, digest: string): void {
    const pointer = pointerPath(recipe);
    mkdirSync(dirname(pointer), { recursive: true });
    writeFileSync(`${pointer}.new`, `${digest}\n`);
    syncPath(`${pointer}.new`);
    renameSync(`${pointer}.new`, pointer);
}

/** Remembers imported parts by their versions. */
export function rememberImported({ digest, manifest }: PartsDirectory): void {
    rememberRecipe(importedKey(manifest.versions), digest);
}

/** Parts of exactly these versions that were imported, as findByRecipe(). */
export function findImported(versions: Versions, progress: Progress): Promise<PartsDirectory | undefined> {
    return findByRecipe(importedKey(versions), progress);
}

/** Which parts each recipe is known to make. */
export function pointers(): { readonly recipe: string; readonly digest: string }[] {
    const directory = dirname(pointerPath("any"));
    return existsSync(directory)
        ? readdirSync(directory)
              .filter((name) => !name.endsWith(".new"))
              .map((recipe) => ({ recipe, digest: readFileSync(pointerPath(recipe), "utf8").trim() }))
        : [];
}

export function removePointer(recipe: string): void {
    rmSync(pointerPath(recipe), { force: true });
}

function importedKey(versions: Versions): string {
    return `imported-${versionsKey(versions)}`;
}

function pointerPath(recipe: string): string {
    return join(partsRoot(), "by-recipe", recipe);
}
