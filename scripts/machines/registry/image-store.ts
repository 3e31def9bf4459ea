import { closeSync, createReadStream, openSync, readSync, type ReadStream } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { indexTar, type TarEntry } from "./tar";

const IMAGE_NAME = "io.containerd.image.name";
const MANIFEST_TYPES: readonly string[] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly annotations?: Readonly<Record<string, string>>;
}

/** A blob where it lies in an archive. */
interface Blob {
    /** Path of the archive. */
    readonly archive: string;
    readonly offset: number;
    readonly size: number;
}

export interface StoredManifest {
    readonly digest: string;
    readonly mediaType: string;
    readonly content: Buffer;
}

/** Images in OCI archives (`*.tar` with index.json and blobs/), read where they lie. */
export class ImageStore {
    /** Manifest by full image name: `docker.io/library/nginx:latest`. */
    private readonly names = new Map<string, Descriptor>();
    private readonly blobs = new Map<string, Blob>();
    /** Media type by digest, for manifests that others point at. */
    private readonly mediaTypes = new Map<string, string>();

    private readonly archives = new Set<string>();

    /** @throws Error naming the archive that can't be read. */
    static async open(directory: string): Promise<ImageStore> {
        const store = new ImageStore();
        await store.addAll(directory);
        return store;
    }

    /** Adds the archives of a directory that it doesn't have yet. @throws Error naming the archive that can't be read. */
    async addAll(directory: string): Promise<void> {
        const archives = (await readdir(directory)).filter((name) => name.endsWith(".tar")).sort();
        for (const path of archives.map((name) => join(directory, name)).filter((each) => !this.archives.has(each))) {
            try {
                await this.add(path);
                this.archives.add(path);
            } catch (error) {
                throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
            }
        }
    }

    /** Registries that images here come from, e.g. `docker.io`. */
    registries(): string[] {
        return [...new Set([...this.names.keys()].map((name) => name.split("/")[0] ?? ""))];
    }

    /** The manifest of an image by its full name with a tag. */
    named(name: string): StoredManifest | undefined {
        const descriptor = this.names.get(name);
        return descriptor && this.manifest(descriptor.digest);
    }

    /** A manifest or index by its digest. */
    manifest(digest: string): StoredManifest | undefined {
        const blob = this.blobs.get(digest);
        const mediaType = this.mediaTypes.get(digest);
        return blob && mediaType !== undefined ? { digest, mediaType, content: contentOf(blob) } : undefined;
    }

    blobSize(digest: string): number | undefined {
        return this.blobs.get(digest)?.size;
    }

    /** Bytes `start` to `end` of a blob, both included. */
    stream(digest: string, start: number, end: number): ReadStream {
        const blob = this.blobs.get(digest);
        if (!blob) {
            throw new Error(`no blob ${digest}`);
        }
        return createReadStream(blob.archive, {
            start: blob.offset + start,
            end: blob.offset + end,
            highWaterMark: 1 << 20,
        });
    }

    private async add(archive: string): Promise<void> {
        const entries = new Map((await indexArchive(archive)).map((entry) => [entry.path, entry]));
        for (const [path, entry] of entries) {
            const digest = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
            if (digest !== undefined && !this.blobs.has(`sha256:${digest}`)) {
                this.blobs.set(`sha256:${digest}`, { archive, ...entry });
            }
        }
        const index = entries.get("index.json");
        if (!index) {
            throw new Error("not an OCI image archive: no index.json");
        }
        for (const manifest of manifestsIn(contentOf({ archive, ...index }))) {
            this.learn(manifest);
            const name = manifest.annotations?.[IMAGE_NAME];
            if (name !== undefined && !this.names.has(name)) {
                this.names.set(name, manifest);
            }
        }
    }

    /** Notes what kind of thing a manifest's digest is, and those that it points at. */
    private learn({ digest, mediaType }: Descriptor): void {
        this.mediaTypes.set(digest, mediaType);
        const blob = this.blobs.get(digest);
        if (!blob) {
            throw new Error(`the manifest ${digest} is not in the archive`);
        }
        manifestsIn(contentOf(blob))
            .filter((child) => MANIFEST_TYPES.includes(child.mediaType) && this.blobs.has(child.digest))
            .forEach((child) => {
                this.learn(child);
            });
    }
}

function manifestsIn(json: Buffer): readonly Descriptor[] {
    return (JSON.parse(json.toString("utf8")) as { manifests?: readonly Descriptor[] }).manifests ?? [];
}

function contentOf({ archive, offset, size }: Blob & Partial<TarEntry>): Buffer {
    const content = Buffer.alloc(size);
    const descriptor = openSync(archive, "r");
    try {
        readSync(descriptor, content, 0, size, offset);
    } finally {
        closeSync(descriptor);
    }
    return content;
}

async function indexArchive(path: string): Promise<readonly TarEntry[]> {
    const handle = await open(path, "r");
    try {
        return await indexTar(handle.fd);
    } finally {
        await handle.close();
    }
}
