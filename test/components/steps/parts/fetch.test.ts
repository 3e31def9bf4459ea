import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    readlinkSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type FetchArgs, renderFetch } from "../../../../components/steps/parts/fetch";
import { ANSWER } from "../../../../components/steps/parts/relay";
import type { Sources } from "../../../../components/steps/parts/types";
import { bash, type BashResult, shellcheck, temporaryDirectory, wholeScript } from "../../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (...names: string[]): string => join(directory.path, ...names);
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

const FILES = ["bin/etcd", "bin/etcdctl", "bin/kubelet", "cni/bridge"];

/** What upstream has: a program, and archives, one of them with "./" before its members as the CNI plugins' has. */
function publish(version: string): Sources {
    rmSync(path("upstream"), { recursive: true, force: true });
    mkdirSync(path("upstream/tree/etcd-v1"), { recursive: true });
    for (const name of ["etcd-v1/etcd", "etcd-v1/etcdctl", "bridge"]) {
        writeFileSync(path("upstream/tree", name), `${name} ${version}`);
    }
    writeFileSync(path("upstream/kubelet"), `kubelet ${version}`);
    execFileSync("tar", ["-czf", path("upstream/etcd.tar.gz"), "-C", path("upstream/tree"), "etcd-v1"]);
    execFileSync("tar", ["-czf", path("upstream/cni.tgz"), "-C", path("upstream/tree"), "./bridge"]);
    const source = (file: string, fingerprint: string, member?: string) => ({
        url: `file://${path("upstream", file)}`,
        sha256: sha256(path("upstream", file)),
        // As upstream's sources have it: a program is named by its own sha256, a member of an archive by another.
        fingerprint: member === undefined ? sha256(path("upstream", file)) : `${fingerprint}-${version}`,
        ...(member === undefined ? {} : { member }),
    });
    return {
        "bin/kubelet": source("kubelet", "aaa"),
        "bin/etcd": source("etcd.tar.gz", "bbb", "etcd-v1/etcd"),
        "bin/etcdctl": source("etcd.tar.gz", "ccc", "etcd-v1/etcdctl"),
        "cni/bridge": source("cni.tgz", "ddd", "bridge"),
    };
}

function fetched(sources: Sources, changes: Partial<FetchArgs> = {}): BashResult {
    const script = wholeScript(
        renderFetch({ role: "node", sources, from: "upstream", files: FILES, kept: FILES, ...changes }),
    );
    const machine = script
        .replaceAll("/opt/", `${path("machine")}/opt/`)
        .replaceAll("/usr/local/bin", path("machine/usr/local/bin"))
        .replaceAll("/run/kubelab", path("machine/run"));
    return bash(machine, ["create"]);
}

beforeEach(() => {
    rmSync(path("machine"), { recursive: true, force: true });
    mkdirSync(path("machine/usr/local/bin"), { recursive: true });
});

test("a machine downloads programs and archives, and links what it was to get", () => {
    const { status, stderr } = fetched(publish("1"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(readFileSync(path("machine/usr/local/bin/kubelet"), "utf8")).toBe("kubelet 1");
    expect(readFileSync(path("machine/usr/local/bin/etcdctl"), "utf8")).toBe("etcd-v1/etcdctl 1");
    expect(readFileSync(path("machine/opt/cni/bin/bridge"), "utf8")).toBe("bridge 1");
    expect(statSync(path("machine/usr/local/bin/etcd")).mode & 0o777).toBe(0o755);
    expect(readdirSync(path("machine/opt/kubelab")).sort()).toEqual(["parts", "parts.lock"]);
});

test("what is there isn't downloaded again, and an upgrade downloads what is new", () => {
    const first = publish("1");
    fetched(first);
    rmSync(path("upstream"), { recursive: true });
    expect(fetched(first).status).toBe(0);
    const second = { ...first, "bin/kubelet": publish("2")["bin/kubelet"] ?? first["bin/kubelet"] } as Sources;
    expect(fetched(second).status).toBe(0);
    expect(readlinkSync(path("machine/usr/local/bin/kubelet"))).toBe(
        path("machine/opt/kubelab/parts", second["bin/kubelet"]?.fingerprint ?? "", "kubelet"),
    );
    expect(readdirSync(path("machine/opt/kubelab/parts")).sort()).toEqual(
        [second["bin/kubelet"]?.fingerprint, "bbb-1", "ccc-1", "ddd-1"].sort(),
    );
});

test("what isn't what its publisher says is refused by its URL, and nothing of it stays", () => {
    const sources = publish("1");
    writeFileSync(path("upstream/kubelet"), "something else");
    const { status, stderr } = fetched(sources);
    expect(status).toBe(1);
    expect(stderr).toMatch(/what file:.*\/kubelet has isn't what its publisher says it is/);
    expect(existsSync(path("machine/usr/local/bin/kubelet"))).toBe(false);
    expect(fetched(publish("1")).status).toBe(0);
});

test("an archive that is packed in another way is named", () => {
    const sources = publish("1");
    const moved = {
        ...sources,
        "bin/etcd": { ...sources["bin/kubelet"], ...sources["bin/etcd"], member: "other/etcd" },
    } as Sources;
    expect(fetched(moved).stderr).toMatch(/etcd\.tar\.gz has no other\/etcd in it/);
});

test("a file without a source is refused before anything is downloaded", () => {
    expect(() => renderFetch({ role: "node", sources: {}, from: "upstream", files: FILES, kept: FILES })).toThrow(
        "no source of bin/etcd",
    );
});

describe("the relay's answer", () => {
    const DIGEST = "0123456789abcdef".repeat(4);
    const ask = (line: string): string =>
        bash(`bash <(cat <<'ANSWER'\n${ANSWER.replaceAll("/opt/", `${path("machine")}/opt/`)}ANSWER\n) <<<'${line}'`)
            .stdout;

    beforeEach(() => {
        mkdirSync(path("machine/opt/kubelab/parts", DIGEST), { recursive: true });
        writeFileSync(path("machine/opt/kubelab/parts", DIGEST, "kubelet"), "the kubelet");
        writeFileSync(path("machine/opt/kubelab/secret"), "no part");
    });

    test("is a part by its sha256 and name", () => {
        expect(ask(`GET /${DIGEST}/kubelet HTTP/1.1\r\nHost: cp-1\r\n\r\n`)).toBe(
            "HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nthe kubelet",
        );
    });

    test.each(["GET /../secret", `GET /${DIGEST}/../../secret`, `PUT /${DIGEST}/kubelet`, `GET /${DIGEST}/etcd`, ""])(
        "to %p is that there is no such thing",
        (line) => expect(ask(`${line} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.0 404 /),
    );

    test("is a script that shellcheck has nothing against", () => {
        expect(shellcheck({ relay: ANSWER })).toBe("");
    });
});
