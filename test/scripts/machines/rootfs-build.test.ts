import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../support/bash";

const REPOSITORY = join(__dirname, "../../..");
const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (...names: string[]): string => join(directory.path, ...names);
let cache: string;
let caches = 0;

/** Plays mmdebstrap: makes a little of a root file system, slowly, and tells that it was called. */
const MMDEBSTRAP = `#!/bin/bash
for word; do case $word in */root) root=$word ;; esac; done
echo called >>${path("calls")}
for name in lib/systemd/system-generators etc/ssh etc/systemd/system usr/local/lib var/log root; do mkdir -p "$root/$name"; done
chmod 0755 "$root"
sleep 0.5
`;

beforeAll(() => {
    mkdirSync(path("bin"));
    writeFileSync(path("bin/mmdebstrap"), MMDEBSTRAP, { mode: 0o755 });
    chmodSync(path("bin/mmdebstrap"), 0o755);
});
beforeEach(() => {
    // One of its own: a process of the killed build may write for another moment.
    cache = path(`cache-${++caches}`);
    rmSync(path("calls"), { force: true });
});

const PROGRAM = `require("${REPOSITORY}/scripts/support/modes").settleModes();
const { ensureRootfs } = require("${REPOSITORY}/scripts/machines/rootfs");
ensureRootfs(() => undefined).then((path) => console.log(path), (error) => { console.error(error.message); process.exit(1); });`;

/** Has a process of its own get the root file system; gives its path. */
function ensured(umask = "022"): Promise<string> {
    const script = `umask ${umask}; exec "$@"`;
    const command = [process.execPath, "--require", "tsx/cjs", "-e", PROGRAM];
    const child = spawn("bash", ["-c", script, "bash", ...command], {
        cwd: REPOSITORY,
        env: { ...process.env, KUBELAB_CACHE: cache, PATH: `${path("bin")}:${process.env["PATH"] ?? ""}` },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    }
    return new Promise((resolve) => child.on("close", () => resolve(output.trim())));
}

const modesBelow = (root: string): Record<string, string> =>
    Object.fromEntries(
        readdirSync(root, { recursive: true, withFileTypes: true })
            .filter((entry) => !entry.isSymbolicLink())
            .map((entry) => join(entry.parentPath, entry.name))
            .map((name) => [name.slice(root.length + 1), (statSync(name).mode & 0o777).toString(8)]),
    );

test("processes that want it at once build it once, and all get it", async () => {
    const paths = await Promise.all([ensured(), ensured(), ensured(), ensured()]);
    expect(new Set(paths).size).toBe(1);
    expect(paths[0]).toMatch(/\/rootfs\/[0-9a-f]{16}$/);
    expect(readFileSync(path("calls"), "utf8")).toBe("called\n");
    expect(readdirSync(join(cache, "rootfs"))).toHaveLength(1);
}, 60_000);

test("a build that was killed is no hindrance, even while a process of it still writes", async () => {
    const old = join(cache, "rootfs/.building-old/root");
    mkdirSync(old, { recursive: true });
    const loop = `while :; do mkdir -p "$1/a/b"; : >"$1/a/b/c"; done`;
    const writer = spawn("bash", ["-c", loop, "bash", old], { stdio: "ignore" });
    try {
        expect(await ensured()).toMatch(/\/rootfs\/[0-9a-f]{16}$/);
    } finally {
        writer.kill("SIGKILL");
    }
}, 60_000);

test("its modes are those that it is made with, under any umask", async () => {
    const root = await ensured("077");
    const modes = modesBelow(root);
    const wrong = Object.entries(modes).filter(
        ([name, mode]) => !["644", "755"].includes(mode) && !["root", "root/.ssh"].includes(name),
    );
    expect(wrong).toEqual([]);
    expect(modes).toMatchObject({
        etc: "755",
        "etc/machine-id": "644",
        "etc/ssh/sshd_config.d/kubelab.conf": "644",
        "usr/local/lib/kubelab/early-boot": "755",
        "root/.ssh": "700",
    });
    rmSync(cache, { recursive: true, force: true });
    expect(modesBelow(await ensured("000"))).toEqual(modes);
}, 60_000);

test("nor do they depend on the umask that the checkout was made with", () => {
    const checkout = path("checkout");
    const machines = join(REPOSITORY, "scripts/machines");
    cpSync(machines, join(checkout, "scripts/machines"), { recursive: true });
    spawnSync("chmod", ["-R", "go=", checkout]);
    const root = path("root");
    for (const name of ["lib/systemd/system-generators", "etc/ssh", "etc/systemd/system", "usr/local/lib"]) {
        mkdirSync(join(root, name), { recursive: true });
    }
    const program = `process.umask(0o022); require("${checkout}/scripts/machines/rootfs-recipe").finishRootfs("${root}");`;
    const { stderr } = spawnSync(process.execPath, ["--require", "tsx/cjs", "-e", program], {
        cwd: REPOSITORY,
        encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(modesBelow(root)).toMatchObject({
        "etc/systemd/system/ssh.service.d": "755",
        "etc/systemd/system/ssh.service.d/kubelab.conf": "644",
        "usr/local/lib/kubelab": "755",
        "usr/local/lib/kubelab/early-boot": "755",
    });
});
