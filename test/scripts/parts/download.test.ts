import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { filesForRole } from "../../../components/steps/parts/files";
import { ensureParts, openParts } from "../../../scripts/parts";
import { DownloadDisplay } from "../../../scripts/parts/download/display";
import { downloadParts } from "../../../scripts/parts/download/download";
import { NetworkError, refuseDowngrade } from "../../../scripts/parts/download/request";
import { downloadRoot, partsRoot } from "../../../scripts/parts/paths";
import { readRecipe, selectParts } from "../../../scripts/parts/recipe";
import { findDamage } from "../../../scripts/parts/verify";
import { pinnedVersions } from "../../../scripts/parts/versions";
import { UserError } from "../../../scripts/support/errors";
import { repositoryRoot } from "../../../scripts/support/paths";
import { useTemporaryCache } from "./support";
import { pathsOf, publish, sha256, useUpstream } from "./upstream";

useTemporaryCache();
const upstream = useUpstream();
const paths = pathsOf();
const kubelet = paths.kubernetes("kubelet");
const silent = (): void => undefined;

const quick = { timeouts: { answer: 300, idle: 300 }, attempts: 2, pause: 10, parallel: 3, telling: 5_000 };
const download = (progress: (line: string) => void = silent): ReturnType<typeof downloadParts> =>
    downloadParts(pinnedVersions(), { ...quick, mirror: upstream.url }, progress);

/** What earlier runs left of a file. */
const partFile = (path: string): string =>
    join(downloadRoot(), `${sha256(upstream.files.get(path) ?? "")}-${basename(path)}.part`);

function leavePart(path: string, content: Buffer): void {
    mkdirSync(downloadRoot(), { recursive: true });
    writeFileSync(partFile(path), content);
}

function expectNoParts(): void {
    const names = existsSync(partsRoot()) ? readdirSync(partsRoot()) : [];
    expect(names.filter((name) => !name.startsWith("."))).toEqual([]);
}

test("the parts are those that the roles need, as upstream published them", async () => {
    const lines: string[] = [];
    const { digest, path } = await download((line) => lines.push(line));
    const { manifest } = openParts(digest);
    expect(await findDamage(path, manifest, "full")).toEqual([]);
    expect(manifest.versions).toEqual(pinnedVersions());
    expect(manifest.files.map((file) => file.path)).toEqual(
        expect.arrayContaining([...filesForRole("control-plane"), ...filesForRole("node")]),
    );
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(upstream.files.get(kubelet));
    expect(readFileSync(join(path, "bin/runc"))).toEqual(upstream.files.get(paths.runc));
    expect(readFileSync(join(path, "cni/bridge"), "utf8")).toBe("the program bridge");
    expect(readFileSync(join(path, "bin/ctr"), "utf8")).toBe("the program bin/ctr");
    expect(statSync(join(path, "bin/kubelet")).mode & 0o777).toBe(0o755);
    expect(lines.at(-1)).toMatch(/^\[11\/11\]/);
    expect(existsSync(downloadRoot())).toBe(false);
});

test("a download has the same programs as a build", async () => {
    const { manifest } = await download();
    const built = selectParts(readRecipe(), []).projects.flatMap(({ programs }) => Object.keys(programs));
    expect(manifest.files.map((file) => file.path).sort()).toEqual(
        built.filter((path) => !path.startsWith("image/")).sort(),
    );
});

test("nothing is asked of the servers a second time", async () => {
    process.env.KUBELAB_DOWNLOAD_MIRROR = upstream.url;
    try {
        const first = await ensureParts({ source: "download" }, silent);
        const count = upstream.asked.length;
        const lines: string[] = [];
        const second = await ensureParts({ source: "download" }, (line) => lines.push(line));
        expect(second.digest).toBe(first.digest);
        expect(upstream.asked.length).toBe(count);
        expect(lines).toEqual([]);
        expect((await ensureParts({ source: "auto" }, silent)).digest).toBe(first.digest);
        expect(upstream.asked.length).toBe(count);
    } finally {
        delete process.env.KUBELAB_DOWNLOAD_MIRROR;
    }
});

test("kubeadm is downloaded when it is asked for, and then nothing that is there", async () => {
    process.env.KUBELAB_DOWNLOAD_MIRROR = upstream.url;
    try {
        const common = await ensureParts({ source: "download" }, silent);
        const flannel = await ensureParts({ source: "download", extras: ["flannel"] }, silent);
        expect(flannel.digest).toBe(common.digest);
        expect(existsSync(join(common.path, "bin/kubeadm"))).toBe(false);
        const count = upstream.asked.length;
        const raced = await ensureParts({ source: "download", extras: ["kubeadm"] }, silent);
        const [kubeadm, checksum] = [paths.kubernetes("kubeadm"), `${paths.kubernetes("kubeadm")}.sha256`];
        expect(upstream.asked.slice(count).sort()).toEqual([`GET ${kubeadm}`, `GET ${checksum}`]);
        expect(await findDamage(raced.path, raced.manifest, "full")).toEqual([]);
        const added = raced.manifest.files.map(({ path }) => path);
        expect(added.sort()).toEqual([...common.manifest.files.map(({ path }) => path), "bin/kubeadm"].sort());
        expect(statSync(join(raced.path, "bin/kubelet")).ino).toBe(statSync(join(common.path, "bin/kubelet")).ino);
    } finally {
        delete process.env.KUBELAB_DOWNLOAD_MIRROR;
    }
});

test("other versions than the pinned ones can be had", async () => {
    publish(upstream.files, { ...pinnedVersions(), kubernetes: "1.35.1" });
    process.env.KUBELAB_DOWNLOAD_MIRROR = upstream.url;
    try {
        const parts = await ensureParts({ source: "download", versions: { kubernetes: "1.35.1" } }, silent);
        expect(readFileSync(join(parts.path, "bin/kubectl"), "utf8")).toContain("kubectl 1.35.1");
        expect(parts.manifest.versions.kubernetes).toBe("1.35.1");
    } finally {
        delete process.env.KUBELAB_DOWNLOAD_MIRROR;
    }
});

test("a version that doesn't exist is named before anything large is downloaded", async () => {
    const versions = { ...pinnedVersions(), etcd: "3.9.99" };
    const refused = downloadParts(versions, { ...quick, mirror: upstream.url }, silent);
    await expect(refused).rejects.toThrow(
        /there is no release of etcd 3\.9\.99 for linux\/amd64 .*SHA256SUMS: the server answered 404.*github\.com\/etcd-io\/etcd\/releases\. Set kubelab:versions\.etcd/,
    );
    await expect(refused).rejects.not.toBeInstanceOf(NetworkError);
    expect(upstream.asked.filter((line) => !/sha256|SHA256/.test(line))).toEqual([]);
    expectNoParts();
});

test("what can't be a version or a part never gets into a URL", async () => {
    const get = (versions: Record<string, string>) => ensureParts({ source: "download", versions }, silent);
    await expect(get({ etcd: "../../x" })).rejects.toThrow('"../../x" is no version of etcd');
    await expect(get({ ectd: "3.7.3" })).rejects.toThrow("there is no part ectd: the parts are kubernetes, etcd");
});

test("a file with another checksum is refused with both and removed", async () => {
    const right = upstream.files.get(paths.runc) ?? Buffer.alloc(0);
    const wrong = Buffer.from("runc with something added");
    upstream.files.set(paths.runc, wrong);
    await expect(download()).rejects.toThrow(
        `runc.amd64 (25 bytes) has the sha256 ${sha256(wrong)} instead of the published ${sha256(right)}. It was removed`,
    );
    expect(readdirSync(downloadRoot()).filter((name) => name.includes("runc"))).toEqual([]);
    expectNoParts();
});

test("a file that the server has only a piece of is refused and removed", async () => {
    const content = upstream.files.get(kubelet) ?? Buffer.alloc(0);
    upstream.files.set(kubelet, content.subarray(0, 1000));
    await expect(download()).rejects.toThrow(/kubelet \(1000 bytes\) has the sha256 .*It was removed/);
    expect(readdirSync(downloadRoot()).filter((name) => name.includes("kubelet"))).toEqual([]);
    expectNoParts();
});

test("a page that is no list of checksums is refused", async () => {
    upstream.files.set(paths.etcdSums, Buffer.from("<html>Please log in</html>"));
    await expect(download()).rejects.toThrow(/SHA256SUMS has no sha256 of etcd-v.*nothing that can't be checked/);
});

test("an answer that breaks off is gone on with where it broke off", async () => {
    let answers = 0;
    upstream.trouble.set(kubelet, (_, response, content) => {
        answers += 1;
        if (answers > 1) {
            return false;
        }
        response.writeHead(200, { "Content-Length": content.length });
        response.write(content.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 100));
        return true;
    });
    const { path } = await download();
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(upstream.files.get(kubelet));
    const ranges = upstream.asked.filter((line) => line.startsWith(`GET ${kubelet} `));
    expect(ranges).toHaveLength(1);
    expect(Number(/bytes=(\d+)-$/.exec(ranges[0] ?? "")?.[1])).toBeGreaterThan(0);
    expect([...upstream.encodings]).toContain("identity");
});

test("a server that always breaks off is given up on; what came is kept and counted", async () => {
    upstream.trouble.set(kubelet, (request, response, content) => {
        response.writeHead(request.headers.range ? 503 : 200, { "Content-Length": content.length });
        response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 100));
        return true;
    });
    const refused = download();
    await expect(refused).rejects.toBeInstanceOf(NetworkError);
    await expect(refused).rejects.toThrow(
        /kubelet: .*\. \d+ bytes of it are kept: run the same command again to resume/,
    );
    expectNoParts();
});

test.each([
    ["no answer", "gave no answer for 0.3 s", () => true],
    [
        "half an answer",
        "sent nothing for 0.3 s",
        (response: ServerResponse, content: Buffer) => {
            response.writeHead(200, { "Content-Length": content.length });
            response.write(content.subarray(0, 1000));
            return true;
        },
    ],
])("a server that hangs after %s doesn't hang this", async (_, message, hang) => {
    upstream.trouble.set(kubelet, (__, response, content) => hang(response, content));
    const start = Date.now();
    const refused = download();
    await expect(refused).rejects.toThrow(`${kubelet}: the server ${message}`);
    await expect(refused).rejects.toBeInstanceOf(NetworkError);
    expect(Date.now() - start).toBeLessThan(4_000);
});

test("what a killed run left is gone on with, and what it had finished isn't asked for", async () => {
    const content = upstream.files.get(kubelet) ?? Buffer.alloc(0);
    leavePart(kubelet, content.subarray(0, 12_345));
    leavePart(paths.runc, Buffer.alloc(0));
    writeFileSync(partFile(paths.etcd).replace(/\.part$/, ""), upstream.files.get(paths.etcd) ?? "");
    const { path } = await download();
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(content);
    const asked = (file: string): string[] => upstream.asked.filter((line) => line.split(" ")[1] === file);
    expect(asked(kubelet)).toEqual([`GET ${kubelet} bytes=12345-`]);
    expect(asked(paths.runc)).toEqual([`GET ${paths.runc}`]);
    expect(asked(paths.etcd)).toEqual([]);
});

test("a download that was killed is gone on with by the next one", async () => {
    const content = upstream.files.get(kubelet) ?? Buffer.alloc(0);
    upstream.trouble.set(kubelet, (_, response) => {
        response.writeHead(200, { "Content-Length": content.length });
        response.write(content.subarray(0, 40_000));
        return true;
    });
    const part = partFile(kubelet);
    const run = spawn("node", ["--require", "tsx/cjs", "scripts/parts/main.ts", "get", "--source", "download"], {
        cwd: repositoryRoot(),
        env: { ...process.env, KUBELAB_DOWNLOAD_MIRROR: upstream.url },
        stdio: "ignore",
    });
    while (!existsSync(part) || statSync(part).size < 40_000) {
        await sleep(20);
    }
    run.kill("SIGKILL");
    await once(run, "exit");
    expectNoParts();
    upstream.trouble.clear();
    upstream.asked.length = 0;
    const { path } = await download();
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(content);
    expect(upstream.asked).toContain(`GET ${kubelet} bytes=40000-`);
}, 20_000);

test("a whole part file is only checked", async () => {
    leavePart(kubelet, upstream.files.get(kubelet) ?? Buffer.alloc(0));
    const { path } = await download();
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(upstream.files.get(kubelet));
});

test("a piece that is wrong, or that the server doesn't go on with, is downloaded anew", async () => {
    leavePart(kubelet, Buffer.from("something else that was written when the power went"));
    const proxy = paths.kubernetes("kube-proxy");
    leavePart(proxy, Buffer.from("kube-proxy"));
    upstream.trouble.set(proxy, (_, response, content) => {
        response.writeHead(200, { "Content-Length": content.length }).end(content);
        return true;
    });
    const { path } = await download();
    expect(readFileSync(join(path, "bin/kubelet"))).toEqual(upstream.files.get(kubelet));
    expect(readFileSync(join(path, "bin/kube-proxy"))).toEqual(upstream.files.get(proxy));
});

test("a redirect to another server is followed, with the range", async () => {
    const content = upstream.files.get(kubelet) ?? Buffer.alloc(0);
    const asked: (string | undefined)[] = [];
    const storage = createServer((request, response) => {
        asked.push(request.headers.range);
        response.writeHead(206, { "Content-Range": `bytes 100-${content.length - 1}/${content.length}` });
        response.end(content.subarray(100));
    });
    await new Promise<void>((resolve) => storage.listen(0, "127.0.0.1", resolve));
    const { port } = storage.address() as AddressInfo;
    upstream.trouble.set(kubelet, (_, response) => {
        response.writeHead(302, { Location: `http://127.0.0.1:${port}/storage/kubelet` }).end();
        return true;
    });
    leavePart(kubelet, content.subarray(0, 100));
    try {
        const { path } = await download();
        expect(readFileSync(join(path, "bin/kubelet"))).toEqual(content);
        expect(asked).toEqual(["bytes=100-"]);
    } finally {
        storage.closeAllConnections();
        storage.close();
    }
});

test("a redirect away from TLS is refused", () => {
    expect(() => refuseDowngrade("https://dl.k8s.io/x", "http://cdn.example/x")).toThrow(UserError);
    expect(() => refuseDowngrade("https://dl.k8s.io/x", "https://cdn.example/x")).not.toThrow();
});

test("a server that is gone is a failure of the network", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const mirror = `http://127.0.0.1:${port}`;
    const refused = downloadParts(pinnedVersions(), { ...quick, mirror }, silent);
    await expect(refused).rejects.toThrow("the server refuses the connection (ECONNREFUSED)");
    await expect(refused).rejects.toBeInstanceOf(NetworkError);
});

test("one line says how far all files are that are under way", async () => {
    const lines: string[] = [];
    const now: string[] = [];
    const progress = Object.assign((line: string) => void lines.push(line), {
        now: (text: string) => void now.push(text),
    });
    const display = new DownloadDisplay(3, progress, 20);
    display.start("etcd.tar.gz")(1024 ** 2, 4 * 1024 ** 2);
    display.start("kubelet")(3 * 1024 ** 2, undefined);
    display.start("runc.amd64")(1024 ** 2, 1024 ** 2);
    display.done("runc.amd64");
    await sleep(50);
    display.end();
    expect(now[0]).toBe("[0/3] downloading 3 files");
    expect(lines).toEqual([expect.stringMatching(/^\[1\/3\] +0 s {2}runc\.amd64$/)]);
    expect(now[1]).toBe("[1/3] 5 MiB, etcd.tar.gz 25 %, kubelet 3 MiB");
});

test("at most as many downloads run at once as were asked for", async () => {
    let running = 0;
    let most = 0;
    for (const path of upstream.files.keys()) {
        upstream.trouble.set(path, (_, response, content) => {
            running += 1;
            most = Math.max(most, running);
            setTimeout(() => {
                running -= 1;
                response.writeHead(200, { "Content-Length": content.length }).end(content);
            }, 10);
            return true;
        });
    }
    await download();
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
});

test("an archive without a program that should be in it is refused by name", async () => {
    const coredns = upstream.files.get(paths.coredns) ?? Buffer.alloc(0);
    upstream.files.set(paths.etcd, coredns);
    upstream.files.set(paths.etcdSums, Buffer.from(`${sha256(coredns)}  ${basename(paths.etcd)}`));
    await expect(download()).rejects.toThrow(
        /etcd-v.*\.tar\.gz has no etcd-v.*\/etcd: etcd .* is packed in another way/,
    );
    expectNoParts();
});
