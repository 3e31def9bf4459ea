import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { ociArchive } from "../../../scripts/parts/oci/archive";
import { tarArchive } from "../../../scripts/parts/oci/tar";

const TIME = 1_577_836_800;
const NAME = "registry.k8s.io/pause:3.10.2";
const layer = tarArchive([{ path: "pause", type: "file", mode: 0o755, content: Buffer.from("program") }], TIME);
const configuration = {
    user: "65535:65535",
    workingDirectory: "/",
    entrypoint: ["/pause"],
    command: [],
    environment: ["PATH=/bin"],
    ports: ["53/udp"],
    stopSignal: "SIGQUIT",
};
const archive = ociArchive(NAME, "amd64", configuration, [layer], TIME);

interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly annotations?: Record<string, string>;
}

const member = (path: string): Buffer => execFileSync("tar", ["-xOf", "-", path], { input: archive.content });
const json = <T>(path: string): T => JSON.parse(member(path).toString("utf8")) as T;
const blob = (descriptor: Descriptor): string => `blobs/${descriptor.digest.replace(":", "/")}`;
const index = json<{ readonly manifests: readonly [Descriptor] }>("index.json");
const manifest = json<{ readonly config: Descriptor; readonly layers: readonly [Descriptor] }>(
    blob(index.manifests[0]),
);

test("index.json names the one image for containerd and by its tag", () => {
    expect(json("oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(index.manifests).toHaveLength(1);
    expect(index.manifests[0].digest).toBe(archive.digest);
    expect(index.manifests[0].annotations).toEqual({
        "io.containerd.image.name": NAME,
        "org.opencontainers.image.ref.name": "3.10.2",
    });
});

test("every blob has the size and the sha256 that its descriptor says", () => {
    for (const descriptor of [index.manifests[0], manifest.config, ...manifest.layers]) {
        const content = member(blob(descriptor));
        expect(content).toHaveLength(descriptor.size);
        expect(`sha256:${createHash("sha256").update(content).digest("hex")}`).toBe(descriptor.digest);
    }
});

test("the configuration says what runs and which layers it runs on", () => {
    expect(json(blob(manifest.config))).toEqual({
        created: "2020-01-01T00:00:00.000Z",
        architecture: "amd64",
        os: "linux",
        config: {
            User: "65535:65535",
            Env: ["PATH=/bin"],
            Entrypoint: ["/pause"],
            ExposedPorts: { "53/udp": {} },
            WorkingDir: "/",
            StopSignal: "SIGQUIT",
        },
        rootfs: { type: "layers", diff_ids: [manifest.layers[0].digest] },
    });
});

test("the layer is the archive that was given", () => {
    expect(member(blob(manifest.layers[0])).equals(layer)).toBe(true);
});

test("the same image gives the same bytes, another one another digest", () => {
    expect(ociArchive(NAME, "amd64", configuration, [layer], TIME).content.equals(archive.content)).toBe(true);
    expect(ociArchive(NAME, "amd64", { ...configuration, user: "0" }, [layer], TIME).digest).not.toBe(archive.digest);
});
