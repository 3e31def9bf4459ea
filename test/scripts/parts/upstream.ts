import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pinnedVersions } from "../../../scripts/parts/versions";

/** What a test may do to an answer; it returns true where it has answered. */
export type Trouble = (request: IncomingMessage, response: ServerResponse, content: Buffer) => boolean;

/** A server with upstream's layout below the upstream servers' names, as a mirror has it, and tiny files. */
export interface Upstream {
    readonly url: string;
    /** Content by path, e.g. `/dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet`. */
    readonly files: Map<string, Buffer>;
    /** `GET <path>` with the range asked for behind it, in order. */
    readonly asked: string[];
    /** Trouble by path. */
    readonly trouble: Map<string, Trouble>;
    readonly encodings: Set<string | undefined>;
}

export const sha256 = (content: Buffer | string): string => createHash("sha256").update(content).digest("hex");

const GITHUB = "/github.com";

/** Where upstream has the files of these versions. */
export function pathsOf(versions: Readonly<Record<string, string>> = pinnedVersions()) {
    const { kubernetes, etcd, containerd, runc, cniPlugins, coredns } = versions;
    return {
        kubernetes: (name: string) => `/dl.k8s.io/release/v${kubernetes}/bin/linux/amd64/${name}`,
        etcd: `${GITHUB}/etcd-io/etcd/releases/download/v${etcd}/etcd-v${etcd}-linux-amd64.tar.gz`,
        etcdSums: `${GITHUB}/etcd-io/etcd/releases/download/v${etcd}/SHA256SUMS`,
        containerd: `${GITHUB}/containerd/containerd/releases/download/v${containerd}/containerd-${containerd}-linux-amd64.tar.gz`,
        runc: `${GITHUB}/opencontainers/runc/releases/download/v${runc}/runc.amd64`,
        runcSums: `${GITHUB}/opencontainers/runc/releases/download/v${runc}/runc.sha256sum`,
        cni: `${GITHUB}/containernetworking/plugins/releases/download/v${cniPlugins}/cni-plugins-linux-amd64-v${cniPlugins}.tgz`,
        coredns: `${GITHUB}/coredns/coredns/releases/download/v${coredns}/coredns_${coredns}_linux_amd64.tgz`,
    };
}

const CNI = "bandwidth bridge dhcp firewall host-device host-local loopback portmap ptp static tuning".split(" ");
const KUBERNETES = "kubeadm kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet".split(
    " ",
);

/** Adds a release of every part. */
export function publish(files: Map<string, Buffer>, versions: Readonly<Record<string, string>>): void {
    const paths = pathsOf(versions);
    const name = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
    const add = (path: string, content: Buffer, sumsPath: string, sums: (sum: string) => string): void => {
        files.set(path, content).set(sumsPath, Buffer.from(sums(sha256(content))));
    };
    for (const program of KUBERNETES) {
        const content = Buffer.from(`${program} ${versions.kubernetes}\n`.repeat(5000));
        add(paths.kubernetes(program), content, `${paths.kubernetes(program)}.sha256`, (sum) => sum);
    }
    const other = `${"0".repeat(64)}  other-file\n`;
    const top = name(paths.etcd).replace(".tar.gz", "");
    const etcd = archive(["etcd", "etcdctl", "etcdutl", "README.md"].map((program) => `${top}/${program}`));
    add(paths.etcd, etcd, paths.etcdSums, (sum) => `${other}${sum}  ${name(paths.etcd)}\n`);
    const containerd = archive(
        ["ctr", "containerd", "containerd-shim-runc-v2", "containerd-stress"].map((p) => `bin/${p}`),
    );
    add(paths.containerd, containerd, `${paths.containerd}.sha256sum`, (sum) => `${sum}  ${name(paths.containerd)}\n`);
    add(paths.runc, Buffer.from(`runc ${versions.runc}`), paths.runcSums, (sum) => `${other}${sum} *runc.amd64\n`);
    add(paths.cni, archive(CNI, "./"), `${paths.cni}.sha256`, (sum) => `${sum}  ${name(paths.cni)}\n`);
    add(paths.coredns, archive(["coredns"]), `${paths.coredns}.sha256`, (sum) => `${sum}  ${name(paths.coredns)}\n`);
}

function archive(members: readonly string[], prefix = ""): Buffer {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-upstream-"));
    for (const member of members) {
        mkdirSync(dirname(join(directory, member)), { recursive: true });
        writeFileSync(join(directory, member), `the program ${member}`, { mode: 0o755 });
    }
    const file = join(directory, "archive.tar.gz");
    const names = members.map((member) => `${prefix}${member}`);
    const made = spawnSync("tar", ["-czf", file, "-C", directory, ...names], { encoding: "utf8" });
    expect(made.stderr).toBe("");
    const content = readFileSync(file);
    rmSync(directory, { recursive: true });
    return content;
}

/** Serves a release of the pinned versions to each test. */
export function useUpstream(): Upstream {
    const upstream = {
        url: "",
        files: new Map<string, Buffer>(),
        asked: [] as string[],
        trouble: new Map<string, Trouble>(),
        encodings: new Set<string | undefined>(),
    };
    const pinned = new Map<string, Buffer>();
    let server: Server;
    beforeAll(() => publish(pinned, pinnedVersions()));
    beforeEach(async () => {
        server = createServer((request, response) => answer(upstream, request, response));
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        upstream.asked.length = 0;
        upstream.trouble.clear();
        upstream.encodings.clear();
        upstream.files.clear();
        pinned.forEach((content, path) => upstream.files.set(path, content));
    });
    afterEach(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
    });
    return upstream;
}

function answer(upstream: Upstream, request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    upstream.asked.push(["GET", path, request.headers.range].filter(Boolean).join(" "));
    upstream.encodings.add(request.headers["accept-encoding"]);
    const content = upstream.files.get(path);
    if (upstream.trouble.get(path)?.(request, response, content ?? Buffer.alloc(0))) {
        return;
    }
    if (content === undefined) {
        response.writeHead(404).end("no such file");
        return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (start > 0 && start >= content.length) {
        response.writeHead(416, { "Content-Range": `bytes */${content.length}` }).end();
        return;
    }
    const rest = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
        "Content-Length": rest.length,
        ...(start > 0 ? { "Content-Range": `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    response.end(rest);
}
