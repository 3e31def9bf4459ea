import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { watch } from "../support/watched";

const directory = temporaryDirectory();
afterAll(directory.remove);
const LAB = join(__dirname, "../../scripts/lab");
/** Seconds. */
const [IN_A_TERMINAL, ELSEWHERE] = [2, 20];

/** Programs in the place of real ones, for a build that takes its time; the first of each kind on PATH is taken. */
function played(programs: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const bin = join(directory.path, `bin-${Object.keys(programs).join("-")}`);
    mkdirSync(bin, { recursive: true });
    for (const [name, text] of Object.entries(programs)) {
        writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    }
    return {
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        KUBELAB_CACHE: join(directory.path, "cache"),
        // Nothing is asked of a network.
        KUBELAB_DOWNLOAD_MIRROR: "http://127.0.0.1:1",
    };
}

/** A compiler that says nothing for seconds on end, and then fails. */
const slowBuild = (seconds: number): NodeJS.ProcessEnv =>
    played({
        "apt-get": "exit 0",
        "dpkg-query": "printf installed",
        go: `case $1 in
env) printf 'go1.99.0\nauto\n' ;;
build)
    echo example.com/first >&2
    sleep ${seconds}
    echo "no room left" >&2
    exit 1
    ;;
esac`,
    });

test("in a terminal a line moves at least every two seconds while a slow build runs, with how long it takes still", async () => {
    const build = [LAB, "parts", "get", "--source", "build"];
    const { code, output, silence, before, slowness } = await watch(build, {
        terminal: true,
        environment: slowBuild(8),
    });
    expect(code).toBe(1);
    expect(output).toMatch(/parts +\d+ s +\[ *\d+\/\d+\] cni-plugins: 1 packages compiled, about \d+ min left/);
    expect(output).toContain("no room left");
    expect({ before, isSilent: silence > IN_A_TERMINAL * slowness }).toEqual({ before, isSilent: false });
}, 60_000);

test("without a terminal a line comes at least every 20 seconds, and none of them holds what only a terminal understands", async () => {
    const build = [LAB, "parts", "get", "--source", "build"];
    const { code, output, silence, before } = await watch(build, { terminal: false, environment: slowBuild(25) });
    expect(code).toBe(1);
    expect(output).toMatch(/^… {2}parts {2}\d+ s {2}\[.*cni-plugins/m);
    expect(output).not.toMatch(/[\r\u001b]/);
    expect({ before, isSilent: silence > ELSEWHERE }).toEqual({ before, isSilent: false });
}, 90_000);

/** A checkout whose packages aren't there yet, with this in the place of npm. */
function freshCheckout(npm: string): { readonly lab: string; readonly environment: NodeJS.ProcessEnv } {
    const path = join(directory.path, "checkout");
    rmSync(path, { recursive: true, force: true });
    mkdirSync(join(path, "scripts"), { recursive: true });
    cpSync(LAB, join(path, "scripts/lab"));
    writeFileSync(join(path, "package-lock.json"), "{}");
    const node = "[ $1 = --version ] && echo v22.0.0 || echo handed over";
    return { lab: join(path, "scripts/lab"), environment: played({ node, npm }) };
}

test("the first start, which gets the packages, is never silent, and shows what npm says where it fails", async () => {
    const good = freshCheckout(
        "mkdir node_modules; sleep 5; echo 'added 500 packages'; touch node_modules/.package-lock.json",
    );
    const { code, output, silence, before, slowness } = await watch([good.lab, "up"], { terminal: true, ...good });
    expect(code).toBe(0);
    expect(output).toMatch(/Node\.js packages {2}[34] s/);
    expect(output).toContain("handed over");
    expect(output).not.toContain("added 500 packages");
    expect({ before, isSilent: silence > IN_A_TERMINAL * slowness }).toEqual({ before, isSilent: false });
    const bad = freshCheckout("echo 'npm error network'; exit 7");
    const failed = await watch([bad.lab, "up"], { terminal: false, ...bad });
    expect(failed.code).toBe(7);
    expect(failed.output).toContain("npm error network");
    expect(failed.output).not.toContain("handed over");
}, 60_000);

test("timeout(1) ends a build within seconds, and all that it has started", async () => {
    const environment = slowBuild(40);
    const started = performance.now();
    const build = ["timeout", "4", LAB, "parts", "get", "--source", "build"];
    expect((await watch(build, { terminal: false, environment })).code).toBe(124);
    expect((performance.now() - started) / 1000).toBeLessThan(15);
    const left = spawnSync("pgrep", ["--full", `${environment["PATH"]?.split(":")[0]}/go build`], { encoding: "utf8" });
    expect(left.stdout).toBe("");
}, 60_000);

test("a command that says nothing is found out", async () => {
    const { silence } = await watch(["bash", "-c", "echo begins; sleep 4; echo ends"], { terminal: true });
    expect(silence).toBeGreaterThan(IN_A_TERMINAL);
}, 30_000);

test("apt-get's report is a moving line, and shown whole where it fails", async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `echo 'Unpacking package-${index} ...'; sleep 0.1`).join(
        "\n",
    );
    const fails = (status: number): NodeJS.ProcessEnv =>
        played({
            "apt-get": `case $1 in install) ${lines}\nexit ${status} ;; esac`,
            "dpkg-query": "exit 1",
            go: "exit 1",
        });
    const build = [LAB, "parts", "get", "--source", "build"];
    const good = await watch(build, { terminal: false, environment: fails(0) });
    expect(good.output).toContain("installing gcc, libc6-dev, libseccomp-dev, pkg-config");
    expect(good.output).not.toContain("Unpacking package-3 ");
    const bad = await watch(build, { terminal: false, environment: fails(100) });
    expect(bad.output).toContain("'apt-get install --yes --no-install-recommends gcc libc6-dev");
    expect(bad.output).toContain("Unpacking package-0 ...");
    expect(bad.output).toContain("Unpacking package-39 ...");
    const terminal = await watch(build, { terminal: true, environment: fails(0) });
    expect(terminal.output).toMatch(/Unpacking package-[1-3]\d \.\.\./);
    expect(terminal.silence).toBeLessThan(IN_A_TERMINAL * terminal.slowness);
}, 90_000);
