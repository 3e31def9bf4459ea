import { createHash } from "node:crypto";
import { type TarEntry, tarArchive } from "./tar";

/** What runs in a container of the image. https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfiguration {
    readonly user: string;
    readonly workingDirectory: string;
    readonly entrypoint: readonly string[];
    readonly command: readonly string[];
    readonly environment: readonly string[];
    /** e.g. `80/tcp`. */
    readonly ports: readonly string[];
    readonly stopSignal?: string | undefined;
}

export interface OciArchive {
    /** The archive's bytes. */
    readonly content: Buffer;
    /** Digest of the image's manifest. */
    readonly digest: string;
}

const TYPES = {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    configuration: "application/vnd.oci.image.config.v1+json",
    // Uncompressed: the archives stay on this machine and its network, where unpacking costs more than copying.
    layer: "application/vnd.oci.image.layer.v1.tar",
};

/**
 * An OCI image layout in a tar archive (https://github.com/opencontainers/image-spec/blob/main/image-layout.md). The name is in
 * the annotation that containerd reads, its tag in the one of the image specification.
 *
 * @param name with registry and tag, e.g. `docker.io/library/nginx:latest`.
 * @param layers uncompressed tar archives, lowest first.
 * @param time creation time and the time of every member, in seconds since 1970.
 */
export function ociArchive(
    name: string,
    architecture: string,
    configuration: ImageConfiguration,
    layers: readonly Buffer[],
    time: number,
): OciArchive {
    const blobs = new Map<string, Buffer>();
    const descriptor = (mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } => {
        const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
        blobs.set(digest, content);
        return { mediaType, digest, size: content.length };
    };
    const layerDescriptors = layers.map((layer) => descriptor(TYPES.layer, layer));
    const config = descriptor(
        TYPES.configuration,
        json({
            created: new Date(time * 1000).toISOString(),
            architecture,
            os: "linux",
            config: runtimeConfiguration(configuration),
            rootfs: { type: "layers", diff_ids: layerDescriptors.map(({ digest }) => digest) },
        }),
    );
    const manifest = descriptor(
        TYPES.manifest,
        json({ schemaVersion: 2, mediaType: TYPES.manifest, config, layers: layerDescriptors }),
    );
    const index = json({
        schemaVersion: 2,
        mediaType: TYPES.index,
        manifests: [
            {
                ...manifest,
                platform: { architecture, os: "linux" },
                annotations: {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name.slice(name.lastIndexOf(":") + 1),
                },
            },
        ],
    });
    const file = (path: string, content: Buffer): TarEntry => ({ path, type: "file", mode: 0o644, content });
    const directory = (path: string): TarEntry => ({ path, type: "directory", mode: 0o755 });
    const content = tarArchive(
        [
            file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
            file("index.json", index),
            directory("blobs"),
            directory("blobs/sha256"),
            ...[...blobs].map(([digest, blob]) => file(`blobs/${digest.replace(":", "/")}`, blob)),
        ],
        time,
    );
    return { content, digest: manifest.digest };
}

function runtimeConfiguration(configuration: ImageConfiguration): object {
    const { user, workingDirectory, entrypoint, command, environment, ports, stopSignal } = configuration;
    return {
        ...(user === "" ? {} : { User: user }),
        Env: environment,
        ...(entrypoint.length === 0 ? {} : { Entrypoint: entrypoint }),
        ...(command.length === 0 ? {} : { Cmd: command }),
        ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) }),
        WorkingDir: workingDirectory,
        ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    };
}

function json(value: unknown): Buffer {
    return Buffer.from(JSON.stringify(value));
}
