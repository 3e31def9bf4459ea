import { createHash } from "node:crypto";
import { formatManifest, type Manifest, manifestDigest, parseManifest } from "../../../scripts/parts/manifest";

const file = { path: "bin/etcd", size: 3, sha256: "a".repeat(64), mode: "0755" };
const other = { path: "bin/containerd", size: 4, sha256: "b".repeat(64), mode: "0755" };
const manifest: Manifest = {
    version: 1,
    architecture: "amd64",
    versions: { etcd: "3.7.3", containerd: "2.4.2" },
    files: [file, other],
    images: [],
};

test("the digest is the start of the sha256 of the manifest's text", () => {
    const text = formatManifest(manifest);
    expect(manifestDigest(text)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 16));
});

test("the order in which files and versions were found doesn't change the digest", () => {
    const reordered = { ...manifest, files: [other, file], versions: { containerd: "2.4.2", etcd: "3.7.3" } };
    expect(formatManifest(reordered)).toBe(formatManifest(manifest));
});

test("another sha256 gives another digest", () => {
    const changed = { ...manifest, files: [{ ...file, sha256: "c".repeat(64) }, other] };
    expect(manifestDigest(formatManifest(changed))).not.toBe(manifestDigest(formatManifest(manifest)));
});

test("a manifest's text is read back as it was", () => {
    expect(formatManifest(parseManifest(formatManifest(manifest)))).toBe(formatManifest(manifest));
});

test.each([
    ["not JSON", "{", "it isn't JSON"],
    ["null", "null", "its version is undefined"],
    ["another version", JSON.stringify({ ...manifest, version: 2 }), "its version is 2"],
    ["no files", JSON.stringify({ ...manifest, files: undefined }), "it lacks versions, files or images"],
    [
        "a path that leads out",
        JSON.stringify({ ...manifest, files: [{ ...file, path: "bin/../../etc/passwd" }] }),
        '"bin/../../etc/passwd" is no path below bin/, cni/ or images/',
    ],
    [
        "an absolute path",
        JSON.stringify({ ...manifest, files: [{ ...file, path: "/bin/etcd" }] }),
        '"/bin/etcd" is no path',
    ],
    [
        "a short sha256",
        JSON.stringify({ ...manifest, files: [{ ...file, sha256: "ab" }] }),
        "sha256 or mode of bin/etcd",
    ],
    [
        "a setuid mode",
        JSON.stringify({ ...manifest, files: [{ ...file, mode: "4755" }] }),
        "sha256 or mode of bin/etcd",
    ],
    [
        "an image without its file",
        JSON.stringify({ ...manifest, images: [{ file: "images/x.tar", name: "x:1", digest: "sha256:0" }] }),
        "the image x:1 is in images/x.tar, which isn't among the files",
    ],
])("%s is refused", (_, text, message) => {
    expect(() => parseManifest(text)).toThrow(message);
});
