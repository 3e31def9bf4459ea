import { createHash } from "node:crypto";

export interface PartFile {
    /** Path in the parts directory, e.g. `bin/etcd`. */
    readonly path: string;
    /** Bytes. */
    readonly size: number;
    /** Lower-case hex. */
    readonly sha256: string;
    /** Permission bits, in octal digits, e.g. `0755`. */
    readonly mode: string;
}

export interface PartImage {
    /** Path of the OCI archive in the parts directory, e.g. `images/pause.tar`. */
    readonly file: string;
    /** e.g. `registry.k8s.io/pause:3.10.2`. */
    readonly name: string;
    /** Digest of the image's OCI manifest, `sha256:…`. */
    readonly digest: string;
}

/** manifest.json of a parts directory. */
export interface Manifest {
    readonly version: 1;
    readonly architecture: string;
    /** Version by part: kubernetes, etcd, … as in parts.yaml. */
    readonly versions: Readonly<Record<string, string>>;
    /** Sorted by path. */
    readonly files: readonly PartFile[];
    readonly images: readonly PartImage[];
}

/** The text of manifest.json; equal manifests have equal texts. */
export function formatManifest(manifest: Manifest): string {
    const { version, architecture, versions, files, images } = manifest;
    const byPath = [...files]
        .sort((a, b) => (a.path < b.path ? -1 : 1))
        .map(({ path, size, sha256, mode }) => ({ path, size, sha256, mode }));
    const byFile = [...images]
        .sort((a, b) => (a.file < b.file ? -1 : 1))
        .map(({ file, name, digest }) => ({ file, name, digest }));
    const sorted = Object.fromEntries(Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1)));
    return `${JSON.stringify({ version, architecture, versions: sorted, files: byPath, images: byFile }, null, 2)}\n`;
}

/** The name of a parts directory: the first 16 hex digits of the sha256 of its manifest.json. */
export function manifestDigest(text: string | Buffer): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

const FILE_PATH = /^(bin|cni|images)\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Reads the text of a manifest.json. Its paths are one level below bin/, cni/ and images/, so that none leads out.
 *
 * @throws Error that says what is wrong with it.
 */
export function parseManifest(text: string): Manifest {
    let manifest: Partial<Manifest> | null;
    try {
        manifest = JSON.parse(text) as Partial<Manifest> | null;
    } catch {
        throw new Error("it isn't JSON");
    }
    if (manifest?.version !== 1) {
        throw new Error(`its version is ${JSON.stringify(manifest?.version)}, and this program reads version 1`);
    }
    if (!Array.isArray(manifest.files) || !Array.isArray(manifest.images) || typeof manifest.versions !== "object") {
        throw new Error("it lacks versions, files or images");
    }
    if (typeof manifest.architecture !== "string") {
        throw new Error("it lacks the architecture");
    }
    const whole = manifest as Manifest;
    for (const file of whole.files) {
        if (typeof file.path !== "string" || !FILE_PATH.test(file.path)) {
            throw new Error(`${JSON.stringify(file.path)} is no path below bin/, cni/ or images/`);
        }
        if (!Number.isSafeInteger(file.size) || !/^[0-9a-f]{64}$/.test(file.sha256) || !/^0[0-7]{3}$/.test(file.mode)) {
            throw new Error(`size, sha256 or mode of ${file.path} is not of its form`);
        }
    }
    const paths = new Set(whole.files.map(({ path }) => path));
    for (const image of whole.images) {
        if (!paths.has(image.file)) {
            throw new Error(`the image ${image.name} is in ${image.file}, which isn't among the files`);
        }
    }
    return whole;
}
