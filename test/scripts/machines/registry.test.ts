import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImageStore } from "../../../scripts/machines/registry/image-store";
import { registryHandler } from "../../../scripts/machines/registry/server";
import { endpoint, Upstreams } from "../../../scripts/machines/registry/upstream";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const LAYER = "a layer, or what stands for one";

function digest(text: string): string {
    return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** An OCI archive of one image whose index.json points at an index, as for several architectures. */
function writeArchive(directory: string, file: string, name: string): { manifest: string; index: string } {
    const layout = mkdtempSync(join(tmpdir(), "kubelab-oci-"));
    mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
    const blob = (text: string): { digest: string; size: number } => {
        writeFileSync(join(layout, "blobs/sha256", digest(text).slice(7)), text);
        return { digest: digest(text), size: text.length };
    };
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, layers: [blob(LAYER)] });
    const index = JSON.stringify({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [{ mediaType: MANIFEST, ...blob(manifest) }],
    });
    const annotations = { "io.containerd.image.name": name };
    const top = { schemaVersion: 2, manifests: [{ mediaType: INDEX, ...blob(index), annotations }] };
    writeFileSync(join(layout, "index.json"), JSON.stringify(top));
    execFileSync("tar", ["-C", layout, "-cf", join(directory, file), "blobs", "index.json"]);
    rmSync(layout, { recursive: true });
    return { manifest, index };
}

describe("the registry of a lab", () => {
    let directory: string;
    let server: Server;
    let address: string;
    let reachable: string[] = [];
    let image: { manifest: string; index: string };

    beforeAll(async () => {
        directory = mkdtempSync(join(tmpdir(), "kubelab-images-"));
        image = writeArchive(directory, "nginx.tar", "docker.io/library/nginx:latest");
        const upstreams = new Upstreams(
            false,
            (host) => Promise.resolve(reachable.includes(host)),
            // every question is asked anew
            (
                (time) => () =>
                    (time += 61_000)
            )(0),
        );
        const store = await ImageStore.open(directory);
        const handle = registryHandler(store, upstreams, () => store.addAll(directory));
        server = createServer((request, response) => void handle(request, response)).listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
        server.close();
        rmSync(directory, { recursive: true });
    });
    beforeEach(() => {
        reachable = [];
    });

    it("says that it speaks the protocol", async () => {
        expect((await fetch(`${address}/v2/`)).status).toBe(200);
    });

    it("gives an image by the tag and the registry it stands in for", async () => {
        const answer = await fetch(`${address}/v2/library/nginx/manifests/latest?ns=docker.io`);
        expect(answer.headers.get("content-type")).toBe(INDEX);
        expect(answer.headers.get("docker-content-digest")).toBe(digest(image.index));
        expect(await answer.text()).toBe(image.index);
    });

    it("gives an image that has come later, and has counted as missing before", async () => {
        const path = `${address}/v2/kitten/manifests/1.8?ns=registry.k8s.io`;
        expect((await fetch(path)).status).toBe(404);
        writeArchive(directory, "kitten.tar", "registry.k8s.io/kitten:1.8");
        expect((await fetch(path)).status).toBe(200);
    });

    it("answers HEAD with the size alone", async () => {
        const answer = await fetch(`${address}/v2/library/nginx/manifests/latest?ns=docker.io`, { method: "HEAD" });
        expect(answer.headers.get("content-length")).toBe(String(image.index.length));
        expect(await answer.text()).toBe("");
    });

    it("gives the manifest that an index points at with its own type", async () => {
        const answer = await fetch(`${address}/v2/library/nginx/manifests/${digest(image.manifest)}?ns=docker.io`);
        expect(answer.headers.get("content-type")).toBe(MANIFEST);
        expect(await answer.text()).toBe(image.manifest);
    });

    it.each([
        ["library/nginx/manifests/1.27?ns=docker.io", "MANIFEST_UNKNOWN"],
        ["library/redis/manifests/latest?ns=docker.io", "MANIFEST_UNKNOWN"],
        ["library/nginx/manifests/latest?ns=quay.io", "MANIFEST_UNKNOWN"],
        [`library/nginx/manifests/${digest("x")}?ns=docker.io`, "MANIFEST_UNKNOWN"],
        [`library/nginx/blobs/${digest("x")}?ns=docker.io`, "BLOB_UNKNOWN"],
        ["library/nginx/tags/list", "NAME_UNKNOWN"],
    ])("doesn't have %s", async (path, code) => {
        const answer = await fetch(`${address}/v2/${path}`);
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject({ errors: [{ code }] });
    });

    it("sends containerd to the registry itself while that can be reached, and steps in when it can't", async () => {
        const ask = async (): Promise<number> =>
            (await fetch(`${address}/v2/library/nginx/manifests/latest?ns=docker.io`)).status;
        reachable = ["registry-1.docker.io"];
        expect(await ask()).toBe(404);
        reachable = [];
        expect(await ask()).toBe(200);
    });

    it("streams a blob out of the archive, whole and in part", async () => {
        const url = `${address}/v2/library/nginx/blobs/${digest(LAYER)}?ns=docker.io`;
        expect(await (await fetch(url)).text()).toBe(LAYER);
        const part = await fetch(url, { headers: { Range: "bytes=2-6" } });
        expect(part.status).toBe(206);
        expect(part.headers.get("content-range")).toBe(`bytes 2-6/${LAYER.length}`);
        expect(await part.text()).toBe(LAYER.slice(2, 7));
        expect((await fetch(url, { headers: { Range: `bytes=${LAYER.length}-` } })).status).toBe(416);
    });

    it("takes no uploads", async () => {
        expect((await fetch(`${address}/v2/library/nginx/blobs/uploads/`, { method: "POST" })).status).toBe(405);
    });

    it("names an archive that is damaged", async () => {
        const damaged = mkdtempSync(join(tmpdir(), "kubelab-damaged-"));
        writeFileSync(join(damaged, "pause.tar"), "x".repeat(1024));
        await expect(ImageStore.open(damaged)).rejects.toThrow(/pause\.tar: not a whole tar archive/);
        rmSync(damaged, { recursive: true });
    });
});

describe("whether an upstream can be reached", () => {
    it("is asked once a minute", async () => {
        let now = 0;
        let asked = 0;
        const upstreams = new Upstreams(
            false,
            () => Promise.resolve(++asked > 0),
            () => now,
        );
        await upstreams.reachable("docker.io");
        now = 59_999;
        await upstreams.reachable("docker.io");
        expect(asked).toBe(1);
        now = 60_000;
        await upstreams.reachable("docker.io");
        expect(asked).toBe(2);
    });

    it("is never asked offline", async () => {
        const upstreams = new Upstreams(true, () => Promise.reject(new Error("asked")));
        expect(await upstreams.reachable("docker.io")).toBe(false);
    });

    it("is asked of the server that has a registry's images", () => {
        expect(endpoint("docker.io")).toEqual({ host: "registry-1.docker.io", port: 443 });
        expect(endpoint("registry.example:5000")).toEqual({ host: "registry.example", port: 5000 });
    });
});
