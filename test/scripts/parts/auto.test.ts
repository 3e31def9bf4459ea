import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Extra } from "../../../scripts/parts/extras";
import { NetworkError } from "../../../scripts/parts/download/request";
import { whyUnreachable } from "../../../scripts/parts/download/reachable";
import { formatManifest, manifestDigest } from "../../../scripts/parts/manifest";
import { partsPath } from "../../../scripts/parts/paths";
import { recipeDigest } from "../../../scripts/parts/recipe-digest";
import { autoSource } from "../../../scripts/parts/sources/auto";
import { downloadSource } from "../../../scripts/parts/sources/download";
import type { PartsSource } from "../../../scripts/parts/sources/source";
import { openParts, type PartsDirectory, rememberImported, rememberRecipe } from "../../../scripts/parts/store";
import { pinnedVersions } from "../../../scripts/parts/versions";
import { UserError } from "../../../scripts/support/errors";
import { useTemporaryCache, writeParts } from "./support";
import { useUpstream } from "./upstream";

const cache = useTemporaryCache();
const upstream = useUpstream();
const request = { versions: {} };
const silent = (): void => undefined;

/** Parts in the cache. */
function cachedParts(versions: Readonly<Record<string, string>>): PartsDirectory {
    const digest = manifestDigest(formatManifest(writeParts(join(cache.path, "parts"), versions)));
    writeParts(partsPath(digest), versions);
    return openParts(digest);
}

/** A source that says what was wanted of it and gives nothing. */
function fakeSource(name: string, calls: string[], result: () => PartsDirectory): PartsSource {
    return {
        find: () => Promise.resolve(undefined),
        get: () => {
            calls.push(name);
            return new Promise((resolve) => resolve(result()));
        },
    };
}

function auto(reason: string | undefined, downloads: () => PartsDirectory = () => cachedParts({ etcd: "1.0.0" })) {
    const calls: string[] = [];
    const source = autoSource({
        download: fakeSource("download", calls, downloads),
        build: fakeSource("build", calls, () => cachedParts(pinnedVersions())),
        whyUnreachable: () => {
            calls.push("network");
            return Promise.resolve(reason);
        },
    });
    return { source, calls };
}

test("where upstream can be reached the parts are downloaded", async () => {
    const { source, calls } = auto(undefined);
    await source.get(request, silent);
    expect(calls).toEqual(["network", "download"]);
});

test("where upstream can't be reached they are built, with one line that says so", async () => {
    const { source, calls } = auto("dl.k8s.io can't be reached (ENOTFOUND)");
    const lines: string[] = [];
    const parts = await source.get(request, (line) => lines.push(line));
    expect(calls).toEqual(["network", "build"]);
    expect(parts.manifest.versions).toEqual(pinnedVersions());
    expect(lines).toEqual(["dl.k8s.io can't be reached (ENOTFOUND): building the parts instead"]);
});

test("where the network fails on the way they are built too", async () => {
    const { source, calls } = auto(undefined, () => {
        throw new NetworkError("the server sent nothing for 30 s");
    });
    await source.get(request, silent);
    expect(calls).toEqual(["network", "download", "build"]);
});

test("a file that isn't what upstream published is no reason to build", async () => {
    const { source, calls } = auto(undefined, () => {
        throw new UserError("kubelet has the sha256 …");
    });
    await expect(source.get(request, silent)).rejects.toThrow("kubelet has the sha256");
    expect(calls).toEqual(["network", "download"]);
});

test("versions other than the pinned ones aren't built", async () => {
    const { source, calls } = auto("dl.k8s.io can't be reached (ENOTFOUND)");
    await expect(source.get({ versions: { etcd: "3.6.8" } }, silent)).rejects.toThrow(
        /can't be reached .* only a download gives other versions .* etcd 3\.6\.8 \(pinned: .*\)\. Try again/,
    );
    expect(calls).toEqual(["network"]);
});

test("built parts are found without the network, for their versions only", async () => {
    const { digest } = cachedParts(pinnedVersions());
    rememberRecipe(recipeDigest(), digest);
    const { source, calls } = auto(undefined);
    expect((await source.find({ versions: pinnedVersions() }, silent))?.digest).toBe(digest);
    expect(await source.find({ versions: { ...pinnedVersions(), etcd: "3.6.8" } }, silent)).toBeUndefined();
    expect(calls).toEqual([]);
});

test("imported parts are found by their versions", async () => {
    const versions = { ...pinnedVersions(), etcd: "3.6.8" };
    const imported = cachedParts(versions);
    rememberImported(imported);
    const { source } = auto(undefined);
    expect((await source.find({ versions: { etcd: "3.6.8" } }, silent))?.digest).toBe(imported.digest);
    expect(await source.find({ versions: {} }, silent)).toBeUndefined();
});

test("imported parts without what a stack needs aren't taken for it, and it is said what they lack", async () => {
    const imported = cachedParts(pinnedVersions());
    rememberImported(imported);
    const { source } = auto(undefined);
    const lines: string[] = [];
    const find = (extras: readonly Extra[]) => source.find({ versions: {}, extras }, (line) => lines.push(line));
    expect((await find([]))?.digest).toBe(imported.digest);
    expect(await find(["flannel"])).toBeUndefined();
    expect(lines).toEqual([
        "the imported parts lack images/flannel.tar: 'scripts/lab parts export --with flannel' has them",
    ]);
});

test("a port that nobody listens at is out of reach at once", async () => {
    expect(await whyUnreachable(upstream.url, 1000)).toBeUndefined();
    expect(await whyUnreachable("http://127.0.0.1:1", 1000)).toBe("127.0.0.1 can't be reached (ECONNREFUSED)");
});

test("a server that takes no connection is out of reach when the time is over", async () => {
    // Its thread sleeps, so that the kernel drops new connections once the queue of waiting ones is full.
    const server = new Worker(
        `const { parentPort } = require("node:worker_threads");
        const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
            parentPort.postMessage(server.address().port);
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
        });`,
        { eval: true },
    );
    const [port] = (await once(server, "message")) as [number];
    const queue = Array.from({ length: 4 }, () => connect({ host: "127.0.0.1", port }).on("error", silent));
    try {
        await once(queue[0] as Socket, "connect");
        const start = Date.now();
        const reason = await whyUnreachable(`http://127.0.0.1:${port}`, 200);
        expect(reason).toBe("127.0.0.1 can't be reached (no answer within 0.2 s)");
        expect(Date.now() - start).toBeLessThan(1000);
    } finally {
        queue.forEach((socket) => socket.destroy());
        await server.terminate();
    }
});

test("a mirror that isn't a URL is refused", async () => {
    process.env.KUBELAB_DOWNLOAD_MIRROR = "not a URL";
    try {
        await expect(downloadSource.get(request, silent)).rejects.toThrow('KUBELAB_DOWNLOAD_MIRROR is "not a URL"');
    } finally {
        delete process.env.KUBELAB_DOWNLOAD_MIRROR;
    }
});
