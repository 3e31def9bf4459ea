import { existsSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { cachedCli, pinnedCliVersion } from "../engine/cli";
import { labsOnDisk, machinesOnDisk } from "../machines/labs";
import { readMachine, readNetwork } from "../machines/records";
import { imageDigest } from "../machines/qemu/image-recipe";
import { RELEASES, rootfsDigest } from "../machines/rootfs-recipe";
import { cacheDirectory, repositoryRoot } from "../support/paths";
import { partsPath } from "./paths";
import { recipeDigest } from "./recipe-digest";
import { listDigests, pointers, removePointer } from "./store";

/** Something in the cache that nothing needs any more. */
export interface Unneeded {
    /** Absolute */
    readonly path: string;
    /** Bytes that its removal gives back: files that other directories have too are not counted. */
    readonly bytes: number;
}

/**
 * What in the cache neither this version of the program nor a lab needs: parts of other recipes, and root file systems and Pulumi CLIs of
 * other versions. Parts that were imported stay, and so does what a lab on this host is made from, or a stack of a checkout that is known:
 * this one, and those that labs on this host belong to.
 */
export function findUnneeded(): Unneeded[] {
    const parts = neededParts();
    const rootfs = neededRootfs();
    const digests = RELEASES.flatMap((release) => [rootfsDigest(release), imageDigest(release)]);
    const isOfThisVersion = (path: string): boolean => digests.some((digest) => basename(path).startsWith(digest));
    const unneeded = [
        ...listDigests()
            .filter((digest) => !parts.has(digest))
            .map(partsPath),
        ...entriesOf(join(cacheDirectory(), "rootfs")).filter((path) => !rootfs.has(path) && !isOfThisVersion(path)),
        ...entriesOf(join(cacheDirectory(), "pulumi"))
            .filter((path) => /^\d+\.\d+\.\d+$/.test(basename(path)))
            .filter((path) => !cachedCli(pinnedCliVersion()).startsWith(`${path}/`)),
    ];
    return unneeded.map((path) => ({ path, bytes: ownBytes(path) }));
}

/** Removes what `findUnneeded` found. Call with the lock of the parts held. */
export function remove(unneeded: readonly Unneeded[]): void {
    unneeded.forEach(({ path }) => rmSync(path, { recursive: true, force: true }));
    pointers()
        .filter(({ digest }) => !existsSync(partsPath(digest)))
        .forEach(({ recipe }) => removePointer(recipe));
}

/** Digests of parts. */
function neededParts(): Set<string> {
    const recipe = recipeDigest();
    const own = pointers().filter(({ recipe: name }) => name.startsWith(recipe) || name.startsWith("imported-"));
    const networks = labsOnDisk().flatMap((lab) => readNetwork(lab) ?? []);
    const checkouts = new Set([repositoryRoot(), ...networks.flatMap(({ directory }) => directory ?? [])]);
    return new Set([
        ...own.map(({ digest }) => digest),
        ...networks.map(({ partsDirectory }) => basename(partsDirectory)),
        ...[...checkouts].flatMap((checkout) => partsOfStacks(join(checkout, ".kubelab"))),
    ]);
}

/** Digests that the outputs of stacks name; a program with several clusters has them one directory deeper. */
function partsOfStacks(directory: string): string[] {
    const directories = [directory, ...entriesOf(directory), ...entriesOf(directory).flatMap(entriesOf)];
    return directories
        .map((each) => join(each, "outputs.json"))
        .filter((file) => existsSync(file))
        .flatMap((file) => (JSON.parse(readFileSync(file, "utf8")) as { readonly parts?: string }).parts ?? []);
}

/** Directories that machines' disks began as. */
function neededRootfs(): Set<string> {
    return new Set(machinesOnDisk().flatMap(({ lab, machine }) => readMachine(lab, machine)?.base ?? []));
}

/** Directories in a directory, absolute; none where it isn't there. Hidden ones are somebody's unfinished work. */
function entriesOf(directory: string): string[] {
    return existsSync(directory)
        ? readdirSync(directory, { withFileTypes: true })
              .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
              .map((entry) => join(directory, entry.name))
        : [];
}

function ownBytes(directory: string): number {
    // With their types, so that no link to a directory is followed.
    return readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => lstatSync(join(entry.parentPath, entry.name)))
        .filter(({ nlink }) => nlink === 1)
        .reduce((sum, { blocks }) => sum + blocks * 512, 0);
}
