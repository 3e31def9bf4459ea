import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    realpathSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyCheckout } from "../support/checkout";
import { eventually, story } from "../support/lab";
import { descendants, type Ran, Running } from "../support/running";

const STACK = "test-habits";
const CONFIG = {
    workers: 0,
    components: { kubeProxy: false, dns: false },
    // So that the parts are pushed.
    local: { network: "10.248.0.0/24", preloadParts: false },
};

/** A copy of this checkout, with a stack file of the tests' own and a symbolic link to its script elsewhere. */
class Checkout {
    readonly directory: string;
    readonly link: string;

    constructor(place: string, name: string) {
        this.directory = join(place, name);
        this.link = join(place, `lab of ${name.slice(0, 5)}`);
        mkdirSync(this.directory);
        copyCheckout(this.directory);
        symlinkSync(join(this.directory, "scripts/lab"), this.link);
        const lines = Object.entries(CONFIG).map(([key, value]) => `    kubelab:${key}: ${JSON.stringify(value)}\n`);
        writeFileSync(join(this.directory, `Pulumi.${STACK}.yaml`), `config:\n${lines.join("")}`);
    }
}

/** What somebody's shell may have set, and a login shell's variables missing. */
const SHELL: NodeJS.ProcessEnv = {
    PATH: process.env["PATH"],
    KUBELAB_OFFLINE: "1",
    KUBELAB_STACK: STACK,
    NO_COLOR: "1",
    https_proxy: "http://127.0.0.1:9",
    http_proxy: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
    SSH_AUTH_SOCK: "/no/agent",
    TMPDIR: "/not/there",
    XDG_CACHE_HOME: "relative",
    CDPATH: "/usr",
    TAR_OPTIONS: "--no-such-option",
};

/** Runs all that comes after it where OpenSSH's system-wide config is a hostile one; a user's own has the same settings. */
const HOSTILE_SSH = `printf '%s\\n' 'Host *' 'Port 1' 'User nobody' 'ProxyCommand false' 'HostKeyAlias wrong' 'IdentityFile /no/key' >"$1/ssh_config"
mount --bind "$1/ssh_config" /etc/ssh/ssh_config
shift
exec "$@"`;

story("a lab among people's habits", () => {
    let place: string;
    let elsewhere: string;
    let first: Checkout;
    let second: Checkout;

    beforeAll(() => {
        place = mkdtempSync(join(realpathSync(tmpdir()), "kubelab habits "));
        elsewhere = join(place, "where I stand");
        mkdirSync(elsewhere);
        first = new Checkout(place, `first %41 "of" 'ünï' ${"x".repeat(100)}`);
        second = new Checkout(place, "second");
    }, 60_000);
    afterAll(() => {
        for (const checkout of [first, second]) {
            lab(checkout, ["down"]);
        }
        rmSync(place, { recursive: true, force: true });
    }, 180_000);

    const command = ({ link }: Checkout, words: readonly string[]): string[] => [
        ...["bash", "-c", 'umask 077; exec "$@"', "bash"],
        // What makes machines has no mounts of its own: the machines would live in them.
        ...(["up", "down"].includes(words[0] ?? "")
            ? []
            : ["unshare", "--mount", "bash", "-c", HOSTILE_SSH, "bash", elsewhere]),
        ...[link, ...words],
    ];

    function lab(checkout: Checkout, words: readonly string[]): Ran {
        const [program = "", ...args] = command(checkout, words);
        const { status, stdout, stderr } = spawnSync(program, args, {
            cwd: elsewhere,
            env: SHELL,
            encoding: "utf8",
            timeout: 600_000,
        });
        return { code: status ?? 1, stdout, stderr };
    }

    function succeed(words: readonly string[], checkout = first): string {
        const { code, stdout, stderr } = lab(checkout, words);
        if (code !== 0) {
            throw new Error(`scripts/lab ${words.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
        }
        return stdout;
    }

    it("says of a preview what would be, and of a stack that doesn't exist that it doesn't", () => {
        const preview = succeed(["up", "--preview"]);
        expect(preview).toMatch(/ to create\b/);
        expect(preview).not.toMatch(/ created\b/);
        for (const words of [
            ["status"],
            ["ssh", "--stack", "missing", "cp-1"],
            ["kubectl", "--stack", "missing", "get", "pods"],
        ]) {
            const { code, stderr } = lab(first, words);
            expect(code).toBe(1);
            expect(stderr).toMatch(
                words.includes("missing")
                    ? /no stack "missing"\. Stacks here: .*kubenet/
                    : /isn't up: run 'scripts\/lab up' first/,
            );
        }
    }, 120_000);

    it("comes up by a link to a checkout of any name, without HOME, with a strict umask, a proxy, and an SSH config in the way", () => {
        expect(succeed(["up"])).toContain("scripts/lab status\n");
        expect(
            succeed(["ssh", "cp-1", "--", "stat -c '%a %n' /etc /etc/hosts /etc/resolv.conf"]).trim().split("\n"),
        ).toEqual([...["755 /etc", "644 /etc/hosts", "644 /etc/resolv.conf"]]);
        expect(succeed(["status"])).not.toMatch(/drift|does not answer/);
    }, 300_000);

    it("passes commands on where the user stands, without the proxy", () => {
        writeFileSync(
            join(elsewhere, "here.yaml"),
            JSON.stringify({
                apiVersion: "v1",
                kind: "Pod",
                metadata: { name: "server" },
                spec: {
                    containers: [
                        {
                            name: "server",
                            image: "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
                            args: ["netexec", "--http-port=8080"],
                        },
                    ],
                },
            }),
        );
        succeed(["kubectl", "apply", "-f", "here.yaml"]);
        succeed(["pulumi", "stack", "export", "--file", "exported.json"]);
        expect(existsSync(join(elsewhere, "exported.json"))).toBe(true);
        succeed(["kubectl", "wait", "--for=condition=Ready", "pod/server", "--timeout=120s"]);
    }, 180_000);

    it("has tools in its images that behave as upstream's do", () => {
        const inPod = (...words: string[]): string => succeed(["kubectl", "exec", "server", "--", ...words]);
        expect(inPod("wget", "-qO-", "-T", "3", "http://127.0.0.1:8080/hostname")).toBe("server");
        inPod("sh", "-c", "nc -z -w1 127.0.0.1 8080");
        expect(inPod("sh", "-c", "ip -o addr show lo")).toMatch(/^1: lo +inet 127\.0\.0\.1\/8 /);
    }, 60_000);

    it.each([
        ["SIGTERM", ["kubectl", "port-forward", "pod/server", ":8080"]],
        ["SIGHUP", ["kubectl", "logs", "-f", "server"]],
        ["SIGKILL", ["ssh", "cp-1", "--", "sleep 600"]],
    ] as const)(
        "ends with %s what it had started: %p",
        async (signal, words) => {
            const running = new Running(command(first, words), { cwd: elsewhere, env: SHELL });
            expect(await running.until(() => descendants(running.pid).some(isPassedOn))).toBe(true);
            const started = descendants(running.pid);
            process.kill(running.pid, signal);
            await running.ended;
            await eventually(5, () => expect(started.filter((pid) => isAlive(pid))).toEqual([]));
        },
        30_000,
    );

    it("doesn't give its lab to a second checkout with the same stack name, and loses nothing by that one's down", () => {
        const { code, stdout, stderr } = lab(second, ["up"]);
        expect(code).toBe(1);
        expect(`${stdout}${stderr}`).toContain(`belongs to the stack "${STACK}" of ${first.directory}`);
        succeed(["down"], second);
        expect(succeed(["status"])).not.toMatch(/drift|does not answer/);
    }, 240_000);

    it("goes down", () => {
        succeed(["down"]);
        expect(existsSync(`/var/lib/kubelab/${STACK}`)).toBe(false);
    }, 120_000);
});

/** Whether the process is what a command was passed on to. */
function isPassedOn(pid: number): boolean {
    return ["kubectl", "ssh"].includes(nameOf(pid));
}

/** A process that has ended and that nobody has asked about has no command line any more. */
function isAlive(pid: number): boolean {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
    } catch {
        return false;
    }
}

function nameOf(pid: number): string {
    const { stdout } = spawnSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" });
    return stdout.trim();
}
