import type { IncomingMessage, ServerResponse } from "node:http";
import type { ImageStore, StoredManifest } from "./image-store";
import type { Upstreams } from "./upstream";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Answers of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
type ErrorCode = "BLOB_UNKNOWN" | "MANIFEST_UNKNOWN" | "UNSUPPORTED" | "NAME_UNKNOWN";

/**
 * The pull half of an OCI registry, as a mirror in front of all others: containerd says in `ns` which registry it means. A tag
 * is only answered while that registry can't be reached; what is asked for by digest is the same wherever it comes from.
 *
 * @param lookAgain adds images that may have come since, before one counts as missing.
 *
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export function registryHandler(
    store: ImageStore,
    upstreams: Upstreams,
    lookAgain: () => Promise<void> = () => Promise.resolve(),
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
    return async (request, response) => {
        if (request.method !== "GET" && request.method !== "HEAD") {
            fail(response, 405, "UNSUPPORTED");
            return;
        }
        const url = new URL(request.url ?? "/", "https://registry");
        if (/^\/v2\/?$/.test(url.pathname)) {
            response.writeHead(200, { "Docker-Distribution-API-Version": "registry/2.0" }).end();
            return;
        }
        const [, name, kind, reference] =
            /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(decodeURI(url.pathname)) ?? [];
        if (name === undefined || reference === undefined) {
            fail(response, 404, "NAME_UNKNOWN");
        } else if (kind === "blobs") {
            sendBlob(store, reference, request, response);
        } else {
            const find = (): Promise<StoredManifest | undefined> =>
                findManifest(store, upstreams, url.searchParams.get("ns"), name, reference);
            sendManifest((await find()) ?? (await lookAgain().then(find)), request, response);
        }
    };
}

/** @param registry that is meant; without one, every registry's images are looked through */
async function findManifest(
    store: ImageStore,
    upstreams: Upstreams,
    registry: string | null,
    name: string,
    reference: string,
): Promise<StoredManifest | undefined> {
    if (DIGEST.test(reference)) {
        return store.manifest(reference);
    }
    for (const candidate of registry === null ? store.registries() : [registry]) {
        const manifest = store.named(`${candidate}/${name}:${reference}`);
        if (manifest && (registry === null || !(await upstreams.reachable(registry)))) {
            return manifest;
        }
    }
    return undefined;
}

function sendManifest(manifest: StoredManifest | undefined, request: IncomingMessage, response: ServerResponse): void {
    if (!manifest) {
        fail(response, 404, "MANIFEST_UNKNOWN");
        return;
    }
    response.writeHead(200, {
        "Content-Type": manifest.mediaType,
        "Content-Length": manifest.content.length,
        "Docker-Content-Digest": manifest.digest,
    });
    response.end(request.method === "HEAD" ? undefined : manifest.content);
}

function sendBlob(store: ImageStore, digest: string, request: IncomingMessage, response: ServerResponse): void {
    const size = store.blobSize(digest);
    if (size === undefined) {
        fail(response, 404, "BLOB_UNKNOWN");
        return;
    }
    const range = parseRange(request.headers.range, size);
    if (range === "unsatisfiable") {
        response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
        return;
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    response.writeHead(range ? 206 : 200, {
        "Content-Type": "application/octet-stream",
        "Content-Length": end - start + 1,
        "Docker-Content-Digest": digest,
        "Accept-Ranges": "bytes",
        ...(range ? { "Content-Range": `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === "HEAD" || size === 0) {
        response.end();
        return;
    }
    const blob = store.stream(digest, start, end);
    blob.on("error", (error) => response.destroy(error));
    response.on("close", () => blob.destroy());
    blob.pipe(response);
}

/** One range of bytes, both ends included; undefined is all of them, as for a header of another form. RFC 9110, 14.2. */
export function parseRange(
    header: string | undefined,
    size: number,
): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
    if (first === undefined) {
        return undefined;
    }
    const start = Number(first);
    const end = last === undefined || last === "" ? size - 1 : Math.min(Number(last), size - 1);
    return start >= size || end < start ? "unsatisfiable" : { start, end };
}

function fail(response: ServerResponse, status: number, code: ErrorCode): void {
    const text = JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] });
    response.writeHead(status, { "Content-Type": "application/json", "Content-Length": text.length }).end(text);
}
