import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    createReadStream,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ImageStore } from "../../../scripts/machines/registry/image-store";
import { registryHandler } from "../../../scripts/machines/registry/server";
import { Upstreams } from "../../../scripts/machines/registry/upstream";
import { releaseFiles } from "../../../scripts/parts/download/releases";
import { openParts } from "../../../scripts/parts";

/*
 * What machines of the tests find in the internet's place, at one address of this host: the release files of upstream, packed from parts
 * that are here, below the names of upstream's servers (as KUBELAB_DOWNLOAD_MIRROR has them), and images from the same parts, as a
 * mirror of all registries. `internet.ts ADDRESS PORT DIGEST 'images'|'releases and images'` serves until its standard input ends; it says `ready` when it does, and every
 * request.
 */

/** Packs the files of upstream's releases. @returns path by URL path */
function packReleases(
    partsDirectory: string,
    versions: Readonly<Record<string, string>>,
    work: string,
): Map<string, string> {
    const files = new Map<string, string>();
    for (const { url, name, members, checksumsUrl } of releaseFiles(versions, "http://mirror")) {
        const entries = Object.entries(members);
        const packed = join(work, `${files.size}-${name}`);
        const [only] = entries;
        if (only !== undefined && only[1] === undefined) {
            symlinkSync(join(partsDirectory, only[0]), packed);
        } else {
            const tree = `${packed}.tree`;
            for (const [part, member] of entries) {
                const path = join(tree, member ?? "");
                mkdirSync(dirname(path), { recursive: true });
                symlinkSync(join(partsDirectory, part), path);
            }
            execFileSync("tar", ["-c", "-h", "-I", "gzip -1", "-f", packed, "-C", tree, "."]);
        }
        files.set(new URL(url).pathname, packed);
        const sums = `${packed}.sums`;
        const sha256 = createHash("sha256").update(readFileSync(packed)).digest("hex");
        writeFileSync(sums, `${sha256}  ${name}\n`);
        const before = files.get(new URL(checksumsUrl).pathname);
        if (before !== undefined) {
            writeFileSync(sums, `${readFileSync(before, "utf8")}${readFileSync(sums, "utf8")}`);
        }
        files.set(new URL(checksumsUrl).pathname, sums);
    }
    return files;
}

function sendFile(path: string, request: IncomingMessage, response: ServerResponse): void {
    const { size } = statSync(path);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start >= size) {
        response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
        return;
    }
    const range = start > 0 ? { "Content-Range": `bytes ${start}-${size - 1}/${size}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { "Content-Length": size - start, ...range });
    createReadStream(path, { start }).pipe(response);
}

async function main([address = "", port = "", digest = "", has = ""]: readonly string[]): Promise<void> {
    const parts = openParts(digest);
    const work = mkdtempSync(join(tmpdir(), "kubelab-internet-"));
    const interfaceAddress = [`${address}/32`, "dev", "lo"];
    const end = (): void => {
        spawnSync("ip", ["address", "delete", ...interfaceAddress]);
        rmSync(work, { recursive: true, force: true });
        process.exit(0);
    };
    process.stdin.on("end", end).resume();
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
    spawnSync("ip", ["address", "replace", ...interfaceAddress]);
    const files = has.startsWith("releases")
        ? packReleases(parts.path, parts.manifest.versions, work)
        : new Map<string, string>();
    const store = await ImageStore.open(join(parts.path, "images"));
    const registry = registryHandler(store, new Upstreams(true));
    const server = createServer((request, response) => {
        console.log(`${request.socket.remoteAddress ?? "-"} ${request.method ?? ""} ${request.url ?? ""}`);
        const { pathname } = new URL(request.url ?? "/", "http://mirror");
        const file = files.get(pathname);
        if (file !== undefined) {
            sendFile(file, request, response);
        } else if (pathname.startsWith("/v2/")) {
            registry(request, response).catch(() => response.destroy());
        } else {
            response.writeHead(404).end(`no ${basename(pathname)} here`);
        }
    });
    server.listen(Number(port), address, () => console.log("ready"));
}

main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
});
