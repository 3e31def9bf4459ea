import { createHash } from "node:crypto";
import {
    chmodSync,
    existsSync,
    lstatSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    readlinkSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type PushArgs, renderPush } from "../../../../components/steps/parts/push";
import { sshWords } from "../../../../components/steps/ssh-command";
import { bash, type BashResult, temporaryDirectory, withLibrary } from "../../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (...names: string[]): string => join(directory.path, ...names);

const FILES = { "bin/etcd": "etcd 1", "bin/kubelet": "kubelet 1", "cni/bridge": "bridge 1" };

const LOGIN = {
    machine: "worker-1",
    address: "10.0.0.1",
    user: "root",
    keyFile: ".kubelab/test/ssh/id",
    knownHosts: ".kubelab/test/ssh/known_hosts",
};

function push(fingerprints: Record<string, string>, changes: Partial<PushArgs> = {}): string {
    return renderPush({
        step: "worker-1-node-parts",
        verify: false,
        role: "node",
        digest: "parts-1",
        fingerprints,
        files: Object.keys(FILES),
        kept: Object.keys(FILES),
        login: LOGIN,
        ...changes,
    });
}

/** Plays the machine: what is said to it over SSH runs below the test's own directory. */
function pushed(script: string): BashResult {
    const machine = withLibrary(script)
        .replaceAll("/opt/", `${path("machine")}/opt/`)
        .replaceAll("/usr/local/bin", path("machine/usr/local/bin"))
        .replaceAll("/run/kubelab", path("machine/run"))
        .replaceAll("/var/lib/kubelab", path("machine/state"));
    return bash(`export PATH=${path("bin")}:$PATH KUBELAB_CACHE=${path("cache")}\n${machine}`, ["create"]);
}

function sentFiles(): string[] {
    const sent = path("sent");
    const files = existsSync(sent) ? readFileSync(sent, "utf8").trim().split("\n") : [];
    rmSync(sent, { force: true });
    return files.filter((file) => file !== "");
}

beforeEach(() => {
    rmSync(path("machine"), { recursive: true, force: true });
    rmSync(path("sent"), { force: true });
    mkdirSync(path("machine/usr/local/bin"), { recursive: true });
    mkdirSync(path("bin"), { recursive: true });
    for (const [file, content] of Object.entries(FILES)) {
        mkdirSync(dirname(path("cache/parts/parts-1", file)), { recursive: true });
        writeFileSync(path("cache/parts/parts-1", file), content);
    }
    writeFileSync(
        path("bin/ssh"),
        `#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in
        -F | -i | -o | -c | -p) shift 2 ;;
        *) break ;;
    esac
done
[ "$1" = root@10.0.0.1 ] || [ "$1" = admin@10.0.0.1 ] || exit 255
shift
case $* in
    *tar*) if [ -e ${path("meanwhile")} ]; then . ${path("meanwhile")}; fi ;;
esac
case $* in
    *sudo*tar*) bash -c "$*" ;;
    *tar*) tee >(tar -tf - >>${path("sent")}) | bash -c "$*" ;;
    *) bash -c "$*" ;;
esac
`,
    );
    chmodSync(path("bin/ssh"), 0o755);
});

const FIRST = { "bin/etcd": "aaa", "bin/kubelet": "bbb", "cni/bridge": "ccc" };

test("a machine that has nothing gets its files, linked from where they are looked for", () => {
    expect(pushed(push(FIRST))).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(sentFiles().sort()).toEqual(["bin/etcd", "bin/kubelet", "cni/bridge"]);
    expect(readFileSync(path("machine/usr/local/bin/etcd"), "utf8")).toBe("etcd 1");
    expect(readFileSync(path("machine/opt/cni/bin/bridge"), "utf8")).toBe("bridge 1");
    expect(lstatSync(path("machine/usr/local/bin/etcd")).isSymbolicLink()).toBe(true);
    expect(readdirSync(path("machine/opt/kubelab")).sort()).toEqual(["parts", "parts.lock"]);
});

test("a file that another lab's machine gets a link to meanwhile is sent as it is", () => {
    // More than a pipe holds: tar is in the middle of it.
    writeFileSync(path("cache/parts/parts-1/bin/etcd"), "etcd 1\n".repeat(100_000));
    writeFileSync(path("meanwhile"), `sleep 0.5; ln ${path("cache/parts/parts-1/bin/etcd")} ${path("linked")}\n`);
    expect(pushed(push(FIRST))).toEqual({ status: 0, stdout: "", stderr: "" });
    rmSync(path("meanwhile"));
    rmSync(path("linked"));
    expect(readFileSync(path("machine/usr/local/bin/etcd"), "utf8")).toHaveLength(700_000);
});

test("a file that is gone is no part of a push", () => {
    rmSync(path("cache/parts/parts-1/bin/etcd"));
    const { status, stderr } = pushed(push(FIRST));
    expect(status).not.toBe(0);
    expect(stderr).toContain("bin/etcd");
});

test("what is there is never sent again", () => {
    pushed(push(FIRST));
    sentFiles();
    expect(pushed(push(FIRST)).status).toBe(0);
    expect(sentFiles()).toEqual([]);
});

test("an upgrade sends what is new, and is a new link", () => {
    pushed(push(FIRST));
    sentFiles();
    writeFileSync(path("cache/parts/parts-1/bin/etcd"), "etcd 2");
    expect(pushed(push({ ...FIRST, "bin/etcd": "ddd" })).status).toBe(0);
    expect(sentFiles()).toEqual(["bin/etcd"]);
    expect(readFileSync(path("machine/usr/local/bin/etcd"), "utf8")).toBe("etcd 2");
    expect(readlinkSync(path("machine/usr/local/bin/etcd"))).toBe(path("machine/opt/kubelab/parts/ddd/etcd"));
});

test("a push that was cut off is mended by the next one", () => {
    pushed(push(FIRST));
    sentFiles();
    rmSync(path("machine/opt/kubelab/parts/bbb"), { recursive: true });
    mkdirSync(path("machine/opt/kubelab/incoming/bin"), { recursive: true });
    writeFileSync(path("machine/opt/kubelab/incoming/bin/kubelet"), "half");
    expect(pushed(push(FIRST)).status).toBe(0);
    expect(sentFiles()).toEqual(["bin/kubelet"]);
    expect(readFileSync(path("machine/usr/local/bin/kubelet"), "utf8")).toBe("kubelet 1");
});

test("parts that aren't in the cache any more are asked for by the command that gets them", () => {
    const { status, stderr } = pushed(push(FIRST, { digest: "gone" }));
    expect(status).toBe(1);
    expect(stderr).toMatch(/10\.0\.0\.1: the parts gone are not in .*: run 'scripts\/lab parts'/);
});

test("a machine that can't be reached fails the push", () => {
    expect(pushed(push(FIRST, { login: { ...LOGIN, address: "10.0.0.2" } })).status).not.toBe(0);
});

test("parts that lack a file are refused before anything is sent", () => {
    expect(() => push({ "bin/etcd": "aaa" })).toThrow("parts parts-1 have no bin/kubelet");
});

test("the machine is known by its pinned host key, whatever the person's own SSH config says", () => {
    const script = push(FIRST);
    expect(script).toContain(` ${sshWords(LOGIN).join(" ")} "$@"`);
});

test("a user that isn't root becomes it by sudo", () => {
    const script = push(FIRST, { login: { ...LOGIN, user: "admin" } });
    expect(script).toContain("admin@10.0.0.1");
    expect(script).toContain("remote 'sudo -n bash -s -- create'");
    expect(push(FIRST)).not.toContain("sudo");
});

describe("a push that verifies", () => {
    const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
    const whole = Object.fromEntries(Object.entries(FILES).map(([file, text]) => [file, digest(text)]));

    test("sends again what isn't whole any more, and nothing else", () => {
        pushed(push(whole));
        sentFiles();
        writeFileSync(path("machine/usr/local/bin/kubelet"), "damaged");
        expect(pushed(push(whole))).toMatchObject({ status: 0 });
        expect(sentFiles()).toEqual([]);
        expect(pushed(push(whole, { verify: true }))).toEqual({ status: 0, stdout: "", stderr: "" });
        expect(sentFiles()).toEqual(["bin/kubelet"]);
        expect(readFileSync(path("machine/usr/local/bin/kubelet"), "utf8")).toBe("kubelet 1");
    });

    test("makes a link again that is gone, and records links and programs", () => {
        pushed(push(whole));
        sentFiles();
        rmSync(path("machine/usr/local/bin/etcd"));
        expect(pushed(push(whole, { verify: true })).status).toBe(0);
        expect(sentFiles()).toEqual([]);
        expect(readFileSync(path("machine/usr/local/bin/etcd"), "utf8")).toBe("etcd 1");
        const record = readFileSync(path("machine/state/record/worker-1-node-parts"), "utf8");
        const etcd = path("machine/opt/kubelab/parts", String(whole["bin/etcd"]), "etcd");
        expect(record).toContain(`link ${etcd} ${path("machine/usr/local/bin/etcd")}\n`);
        expect(record).toMatch(new RegExp(`^part ${String(whole["bin/etcd"])} 6 \\d+ ${etcd}$`, "m"));
    });
});

test.each([
    ["asks for it", 'IFS= read -r password; [ "$password" = "it\'s secret" ] || exit 1'],
    ["doesn't ask for it after all", ":"],
])("a password for sudo comes before the files, where sudo %s", (_, sudo) => {
    const program = path("bin/sudo");
    writeFileSync(program, `#!/bin/bash\nshift 3\n${sudo}\nexec "$@"\n`);
    chmodSync(program, 0o755);
    const script = push(FIRST, { login: { ...LOGIN, user: "admin", sudoPassword: "it's secret" } });
    expect(pushed(script)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(path("machine/usr/local/bin/etcd"), "utf8")).toBe("etcd 1");
});
