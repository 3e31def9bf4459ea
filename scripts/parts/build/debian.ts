import {
    existsSync,
    lstatSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    readlinkSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TarEntry } from "../oci/tar";
import type { Recipe } from "../recipe";
import { run } from "./run";
import { step, type StepOutput } from "./step";

/** Downloaded Debian packages, by the layer of an image that takes its files from them. */
export type LayerPackages = (layer: string) => StepOutput;

/** Downloads the packages of all layers that the recipe's images have: most share theirs, and some have their own. */
export async function downloadLayerPackages({ debianPackages, layers, images }: Recipe): Promise<LayerPackages> {
    const common = await downloadPackages("debian", debianPackages);
    const own = new Map<string, StepOutput>();
    for (const name of new Set(images.flatMap((image) => image.layers))) {
        const packages = layers[name]?.packages;
        if (packages !== undefined) {
            own.set(name, await downloadPackages(`debian-${name}`, packages));
        }
    }
    return (layer) => own.get(layer) ?? common;
}

/**
 * Downloads Debian packages and all they depend on, from the host's own package sources and checked against its keys. Nothing
 * is installed: apt is told that no package is installed yet.
 */
async function downloadPackages(name: string, packages: readonly string[]): Promise<StepOutput> {
    return step(name, { packages }, async (directory) => {
        mkdirSync(join(directory, "partial"), { recursive: true });
        const status = join(directory, "status");
        writeFileSync(status, "");
        const options = {
            "Dir::State::status": status,
            "Dir::Cache::archives": directory,
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "root",
        };
        const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
        const download = ["-y", "-q", "--no-install-recommends", "--download-only", "install", ...packages];
        try {
            await run("apt-get", [...flags, ...download]);
        } catch (error) {
            if (process.getuid?.() !== 0) {
                throw error;
            }
            await run("apt-get", ["update", "-q"]);
            await run("apt-get", [...flags, ...download]);
        }
        readdirSync(directory)
            .filter((name) => !name.endsWith(".deb"))
            .forEach((name) => rmSync(join(directory, name), { recursive: true }));
    });
}

/** Unpacks the packages that are in a directory on top of each other into a new one. */
export async function unpackPackages(directory: string, target: string): Promise<void> {
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(directory)
        .filter((each) => each.endsWith(".deb"))
        .sort()) {
        await run("dpkg-deb", ["-x", join(directory, name), target]);
    }
}

/** Top directories that are links into /usr in an image, as in every Debian system since 12. */
export const MERGED = ["bin", "lib", "lib64", "sbin"] as const;

/**
 * Files and directories out of unpacked packages as tar entries, with every shared library that the programs among them load.
 * A package may have what is in /usr/bin here in /bin still, and so on: both are found, and end below /usr.
 *
 * @param paths relative to `tree`, e.g. `usr/bin/curl`.
 * @throws Error for a path or library that is in no package.
 */
export async function pickFiles(tree: string, paths: readonly string[]): Promise<TarEntry[]> {
    const picked = paths.flatMap((path) => entriesBelow(locate(tree, path), path));
    const programs = picked.filter(({ content }) => content !== undefined && isDynamicProgram(content));
    const libraries = new Map<string, TarEntry>();
    for (const { path } of programs) {
        for (const library of await librariesOf(tree, locate(tree, path))) {
            const merged = mergedPath(library.slice(tree.length + 1));
            libraries.set(merged, { path: merged, type: "file", mode: 0o644, content: readFileSync(library) });
        }
    }
    return programs.length === 0 ? picked : [...picked, ...libraries.values(), dynamicLoader(tree)];
}

function mergedPath(path: string): string {
    return MERGED.some((top) => path.startsWith(`${top}/`)) ? `usr/${path}` : path;
}

/** Where a file with this merged path is in the tree. */
export function locate(tree: string, path: string): string {
    const found = [path, path.replace(/^usr\//, "")].find((candidate) => existsSync(join(tree, candidate)));
    if (found === undefined) {
        throw new Error(`none of the Debian packages of images.yaml has ${path}`);
    }
    return join(tree, found);
}

function entriesBelow(full: string, path: string): TarEntry[] {
    const stats = lstatSync(full);
    const common = { path, mode: stats.mode & 0o7777 };
    if (stats.isSymbolicLink()) {
        return [{ ...common, type: "symlink", mode: 0o777, target: readlinkSync(full) }];
    }
    if (stats.isDirectory()) {
        const inside = readdirSync(full).flatMap((name) => entriesBelow(join(full, name), `${path}/${name}`));
        return [{ ...common, type: "directory" }, ...inside];
    }
    return [{ ...common, type: "file", content: readFileSync(full) }];
}

const LIBRARIES = "usr/lib/x86_64-linux-gnu";
const LOADER = "ld-linux-x86-64.so.2";

/** The interpreter that every dynamic program names, /lib64/ld-linux-x86-64.so.2. */
function dynamicLoader(tree: string): TarEntry {
    const content = readFileSync(locate(tree, `${LIBRARIES}/${LOADER}`));
    return { path: `usr/lib64/${LOADER}`, type: "file", mode: 0o755, content };
}

/** The files that a program loads, as the tree's own dynamic loader finds them; the host's libraries play no part. */
async function librariesOf(tree: string, program: string): Promise<string[]> {
    const directories = [LIBRARIES.replace("usr/", ""), LIBRARIES].map((path) => join(tree, path)).join(":");
    const loader = locate(tree, `${LIBRARIES}/${LOADER}`);
    const listed = await run(loader, ["--library-path", directories, "--list", program]);
    const libraries = [...listed.matchAll(/ => (.+?)(?: \(0x|$)/gm)].map(([, path = ""]) => path);
    for (const path of libraries) {
        if (!path.startsWith(`${tree}/`)) {
            throw new Error(`${program} loads ${path}, which the unpacked packages lack`);
        }
    }
    return libraries.filter((path) => !path.endsWith(`/${LOADER}`));
}

/** Whether this is an ELF program that names an interpreter (PT_INTERP) to load its libraries. */
function isDynamicProgram(content: Buffer): boolean {
    if (content.length < 64 || content.readUInt32BE(0) !== 0x7f454c46) {
        return false;
    }
    const PT_INTERP = 3;
    const offset = Number(content.readBigUInt64LE(32));
    const size = content.readUInt16LE(54);
    return Array.from({ length: content.readUInt16LE(56) }, (_, index) => offset + index * size).some(
        (header) => content.readUInt32LE(header) === PT_INTERP,
    );
}
