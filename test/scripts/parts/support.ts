import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatManifest, type Manifest } from "../../../scripts/parts/manifest";
import { PARTS_TIME } from "../../../scripts/parts/verify";

/** A cache of the test's own, as KUBELAB_CACHE, until the test ends. */
export function useTemporaryCache(): { readonly path: string } {
    const cache = { path: "" };
    const before = process.env.KUBELAB_CACHE;
    beforeEach(() => {
        cache.path = mkdtempSync(join(tmpdir(), "kubelab-parts-"));
        process.env.KUBELAB_CACHE = join(cache.path, "cache");
    });
    afterEach(() => {
        rmSync(cache.path, { recursive: true, force: true });
        if (before === undefined) {
            delete process.env.KUBELAB_CACHE;
        } else {
            process.env.KUBELAB_CACHE = before;
        }
    });
    return cache;
}

export const CONTENTS: Readonly<Record<string, string>> = {
    "bin/etcd": "the etcd program",
    "cni/bridge": "the bridge plugin",
    "images/pause.tar": "the pause image",
};

/** Writes a small parts directory, with its manifest, and returns the manifest. */
export function writeParts(
    directory: string,
    versions: Readonly<Record<string, string>> = { etcd: "3.7.3" },
): Manifest {
    const files = Object.entries(CONTENTS).map(([path, content]) => {
        const mode = path.startsWith("images/") ? 0o644 : 0o755;
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), content, { mode });
        utimesSync(join(directory, path), PARTS_TIME, PARTS_TIME);
        const sha256 = createHash("sha256").update(content).digest("hex");
        return { path, size: content.length, sha256, mode: `0${mode.toString(8)}` };
    });
    const images = [
        { file: "images/pause.tar", name: "registry.k8s.io/pause:3.10.2", digest: `sha256:${"0".repeat(64)}` },
    ];
    const manifest: Manifest = { version: 1, architecture: "amd64", versions, files, images };
    writeFileSync(join(directory, "manifest.json"), formatManifest(manifest));
    return manifest;
}
