import { spawn } from "node:child_process";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, shellcheck, temporaryDirectory, testWith } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

/** The libraries with their files in the test's directory. */
const library = STEP_LIBRARY.replaceAll("/run/kubelab", join(directory.path, "run"))
    .replaceAll("/var/lib/kubelab", join(directory.path, "state"))
    .replaceAll("/etc/systemd/system", join(directory.path, "units"));
const owner = bash("id -un; id -gn").stdout.trim().replace("\n", ":");
const path = (name: string): string => join(directory.path, name);

function step(...statements: string[]): BashResult {
    return bash(["set -euo pipefail", library, ...statements].join("\n"));
}

testWith("shellcheck")("passes shellcheck", () => {
    expect(shellcheck({ library: STEP_LIBRARY })).toBe("");
});

test("no proxy of a host's environment leads to the cluster; what goes beyond it keeps them", () => {
    const tell = `bash -c 'echo "$no_proxy|$NO_PROXY|$https_proxy"'`;
    const run = (variables: string): string[] =>
        bash([variables, "set -euo pipefail", library, tell, `outside ${tell}`, tell].join("\n")).stdout.split("\n");
    expect(run("export https_proxy=http://proxy.example:3128 no_proxy=.example")).toEqual([
        ...["*|*|http://proxy.example:3128", ".example|.example|http://proxy.example:3128"],
        ...["*|*|http://proxy.example:3128", ""],
    ]);
    expect(run("export https_proxy=; unset no_proxy; export NO_PROXY=a.example")[1]).toBe("a.example|a.example|");
});

describe("put", () => {
    const put = (content: string, mode = "0640", name = "put/file"): string =>
        `put ${path(name)} ${mode} ${owner} <<'END'\n${content}\nEND\necho "changed=$changed"`;

    beforeEach(() => rmSync(path("put"), { recursive: true, force: true }));

    test("makes the file and its directory, and tells that something changed", () => {
        expect(step(put("one"))).toEqual({ status: 0, stdout: "changed=1\n", stderr: "" });
        expect(readFileSync(path("put/file"), "utf8")).toBe("one\n");
        expect((statSync(path("put/file")).mode & 0o777).toString(8)).toBe("640");
    });

    test("starts no program for new files of root's, and one for those that it replaces in one directory", () => {
        const plan = (name: string, content: string): string =>
            `plan ${path(name)} 0600 root:root <<'END'\n${content}\nEND`;
        const files = ["put/one", "put/two", "put/three"];
        const all = (content: string): string[] => [...files.map((name) => plan(name, content)), "write_planned"];
        mkdirSync(path("put"));
        const unowned = owner === "root:root" ? [] : ["chown() { :; }"];
        const programs = ['mv() { echo mv; command mv "$@"; }', 'mkdir() { echo mkdir; command mkdir "$@"; }'];
        expect(step(...unowned, ...programs, ...all("one"))).toEqual({ status: 0, stdout: "", stderr: "" });
        expect(step(...unowned, ...programs, ...all("two")).stdout).toBe("mkdir\nmv\n");
        expect(files.map((name) => readFileSync(path(name), "utf8"))).toEqual(["two\n", "two\n", "two\n"]);
        expect(readdirSync(path("put")).sort()).toEqual(["one", "three", "two"]);
    });

    test("restarts nothing for a file that is for later, but for what a run before this one has changed", () => {
        const plan = `plan ${path("put/file")} 0600 ${owner} <<'END'\ntoken\nEND`;
        const write = [plan, "write_for_later", 'echo "changed=$changed waits=$(cat "$pending")"'];
        expect(step("once later", ...write).stdout).toBe("changed= waits=\n");
        expect(readFileSync(path("put/file"), "utf8")).toBe("token\n");
        rmSync(path("put/file"));
        // Cut off between a change and its restart.
        expect(step("once later", put("one", "0640", "put/other"), "trap - EXIT").stdout).toBe("changed=1\n");
        expect(step("once later", ...write).stdout).toBe("changed=1 waits=changed\n");
    });

    test("replaces a link that leads nowhere, and nothing where it leads to", () => {
        mkdirSync(path("put"));
        symlinkSync(path("put/elsewhere"), path("put/file"));
        expect(step(put("one")).status).toBe(0);
        expect(readdirSync(path("put"))).toEqual(["file"]);
        expect(readFileSync(path("put/file"), "utf8")).toBe("one\n");
    });

    test("has a run that was cut off while it wrote a new file leave the restart to the next one", () => {
        const cut = `printf() { builtin printf "$@"; if [[ \${2:-} == one* ]]; then kill -9 $$; fi; }`;
        step("once it", cut, put("one"));
        expect(step("once it", put("one")).stdout).toBe("changed=1\n");
    });

    test("leaves a file alone that is right already, and tells that nothing changed", () => {
        step(put("one"));
        const before = statSync(path("put/file"));
        expect(step(put("one")).stdout).toBe("changed=\n");
        const after = statSync(path("put/file"));
        expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
    });

    test.each([
        ["content", put("two")],
        ["mode", put("one", "0600")],
    ])("tells of another %s", (_, again) => {
        step(put("one"));
        expect(step(again).stdout).toBe("changed=1\n");
        expect(step(again).stdout).toBe("changed=\n");
    });

    test("tells of a change also when the last of several files is as it was", () => {
        step(put("same", "0644", "put/second"));
        expect(step(put("new"), put("same", "0644", "put/second")).stdout).toBe("changed=1\nchanged=1\n");
    });

    test("becomes what it was when the step fails, mode and all, and stays when it succeeds", () => {
        step("once it", put("one"));
        expect(step("once it", put("two", "0600"), put("three"), "exit 7")).toMatchObject({ status: 7 });
        expect(readFileSync(path("put/file"), "utf8")).toBe("one\n");
        expect((statSync(path("put/file")).mode & 0o777).toString(8)).toBe("640");
        expect(step("once it", put("two")).status).toBe(0);
        expect(step("once it", "exit 7")).toMatchObject({ status: 7, stderr: "" });
        expect(readFileSync(path("put/file"), "utf8")).toBe("two\n");
    });

    test("becomes what it was before a run that was killed, when the next one fails", () => {
        step("once it", put("one"));
        step("once it", put("two"), "kill -9 $$");
        expect(readFileSync(path("put/file"), "utf8")).toBe("two\n");
        expect(step("once it", put("three"), "exit 7")).toMatchObject({ status: 7 });
        expect(readFileSync(path("put/file"), "utf8")).toBe("one\n");
    });

    test("leaves no temporary file behind, in any case", () => {
        step(put("one"));
        step(put("one"));
        step(put("two"));
        expect(readdirSync(path("put"))).toEqual(["file"]);
    });

    test("replaces the file at once: who has it open keeps the old one", () => {
        step(put("one"));
        const { stdout } = step(`exec 3<${path("put/file")}`, put("two"), "cat <&3");
        expect(stdout).toBe("changed=1\none\n");
    });

    test("ends the step where it can't write, with the path", () => {
        writeFileSync(path("plain"), "");
        const { status, stdout, stderr } = step(put("one", "0644", "plain/file"));
        expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
        expect(stderr).toContain(path("plain"));
    });
});

describe("within", () => {
    test("returns as soon as the command succeeds", () => {
        const started = Date.now();
        const command = `bash -c 'echo x >>${path("tries")}; [ "$(wc -l <${path("tries")})" -ge 3 ]'`;
        expect(step(`within 20 ${command} && echo done`).stdout).toBe("done\n");
        expect(readFileSync(path("tries"), "utf8")).toBe("x\nx\nx\n");
        expect(Date.now() - started).toBeLessThan(10_000);
    });

    test("gives up at its deadline", () => {
        const started = Date.now();
        expect(step("within 1 false || echo late").stdout).toBe("late\n");
        expect(Date.now() - started).toBeLessThan(5_000);
    });

    test("shows nothing of what the command prints", () => {
        expect(step("within 0 bash -c 'echo out; echo error >&2; exit 1' || true")).toEqual({
            status: 0,
            stdout: "",
            stderr: "",
        });
    });
});

describe("once", () => {
    const order = path("order");
    const run = (name: string, body: string): Promise<number | null> =>
        new Promise((resolve) => {
            const child = spawn("bash", ["-s"], { stdio: ["pipe", "ignore", "pipe"] });
            child.on("exit", resolve);
            child.stdin.end(`set -euo pipefail\n${library}\nonce ${name}\n${body}`);
        });
    const inOrder = (): string[] => (existsSync(order) ? readFileSync(order, "utf8").trim().split("\n") : []);
    const until = async (condition: () => boolean): Promise<void> => {
        while (!condition()) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    };
    const turn = (name: string): string => {
        const file = path(`run/${name}.turn`);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    };

    beforeEach(() => rmSync(order, { force: true }));

    test("lets a second run on the same name wait for the first to end", async () => {
        const first = run("etcd", `echo first in >>${order}; sleep 1; echo first out >>${order}`);
        await until(() => inOrder().length > 0);
        const second = run("etcd", `echo second in >>${order}`);
        const other = run("kubelet", `echo other in >>${order}`);
        expect(await Promise.all([first, second, other])).toEqual([0, 0, 0]);
        expect(inOrder()).toEqual(["first in", "other in", "first out", "second in"]);
    });

    test("has a run that waits for its turn give way to one that came later", async () => {
        // The first holds the lock and doesn't look around: the two others wait, in an order that only their turns tell.
        const held = run("scheduler", `echo held >>${order}; until [ -e ${path("go")} ]; do sleep 0.02; done`);
        await until(() => inOrder().length > 0);
        const before = turn("scheduler");
        const second = run("scheduler", `echo second in >>${order}`);
        await until(() => ![before, ""].includes(turn("scheduler")));
        const afterSecond = turn("scheduler");
        const third = run("scheduler", `echo third in >>${order}`);
        await until(() => ![afterSecond, ""].includes(turn("scheduler")));
        writeFileSync(path("go"), "");
        expect(await Promise.all([held, second, third])).toEqual([0, 1, 0]);
        expect(inOrder()).toEqual(["held", "third in"]);
        rmSync(path("go"));
    });

    test("has a run that waits for something to become healthy give way, and leaves its changes to the later one", async () => {
        const file = path("way/file");
        const change = (content: string): string => `put ${file} 0644 ${owner} <<'END'\n${content}\nEND\n`;
        expect(await run("proxy", change("as it was"))).toBe(0);
        const first = run("proxy", `${change("first")}echo first in >>${order}; within 60 false || true`);
        await until(() => inOrder().length > 0);
        const second = run("proxy", `cat ${file} >>${order}; echo "changed=$changed" >>${order}\n${change("second")}`);
        expect(await Promise.all([first, second])).toEqual([1, 0]);
        expect(inOrder()).toEqual(["first in", "first", "changed=1"]);
        expect(readFileSync(file, "utf8")).toBe("second\n");
    });
});

describe("a service", () => {
    const bin = path("bin");
    const log = path("systemctl.log");
    const active = path("active");
    /** Plays systemd: writes down what it is asked for, and answers from the file `active`. */
    const systemctl = `#!/bin/bash
echo "$*" >>${log}
case $1 in
    stop | disable) rm -f ${active} ;;
    start | restart | enable) case $* in start* | *--now*) touch ${active} ;; esac ;;
    show)
        echo LoadState=loaded
        if [ -e ${active} ]; then echo ActiveState=active; else echo ActiveState=failed; fi
        cat ${path("process")}
        echo NRestarts=$(cat ${path("restarts")})
        echo NeedDaemonReload=$(cat ${path("stale")})
        echo DropInPaths=$(cat ${path("drop-ins")}) ;;
esac
`;

    beforeEach(() => {
        mkdirSync(bin, { recursive: true });
        [log, active, path("unit"), path("run")].forEach((each) => rmSync(each, { recursive: true, force: true }));
        writeFileSync(path("restarts"), "0\n");
        writeFileSync(path("process"), "");
        writeFileSync(path("stale"), "no\n");
        writeFileSync(path("drop-ins"), "\n");
        for (const [name, text] of [
            ["systemctl", systemctl],
            ["journalctl", "#!/bin/bash\necho the last words of the unit\n"],
        ] as const) {
            writeFileSync(join(bin, name), text);
            chmodSync(join(bin, name), 0o755);
        }
    });

    const withSystemd = (...statements: string[]): BashResult => step(`PATH=${bin}:$PATH`, "once unit", ...statements);
    const write = (content: string): string => `put ${path("unit")} 0644 ${owner} <<'END'\n${content}\nEND`;
    const asked = (): string[] => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
    const starts = (): string[] => asked().filter((line) => /^((re)?start|enable .*--now) /.test(line));
    const enabled = (): string[] => asked().filter((line) => /^enable .*unit$/.test(line));

    test("starts when its unit is new, and at boot", () => {
        expect(withSystemd(write("one"), "service_up unit 5 true")).toEqual({ status: 0, stdout: "", stderr: "" });
        expect(starts()).toHaveLength(1);
        expect(enabled()).toHaveLength(1);
        expect(asked()).not.toContain("daemon-reload");
    });

    test("is started from its file as it is now, where systemd knows an older one", () => {
        writeFileSync(path("stale"), "yes\n");
        expect(withSystemd(write("two"), "service_up unit 5 true").status).toBe(0);
        const calls = asked();
        expect(calls.indexOf("daemon-reload")).toBeGreaterThan(-1);
        expect(calls.indexOf("daemon-reload")).toBeLessThan(calls.indexOf(String(starts()[0])));
    });

    /**
     * Plays a process that gets so many hundredths of a second of a core in every second, on a host with this load. Each health check
     * takes a second of the script's clock; the first one that passes is the one after `passes` seconds.
     */
    const plays = (hundredths: number, passes: number, load = "0.10"): string => `proc=${path("proc")} checks=0
mkdir -p ${path("proc")}/77
echo '${load} 0.00 0.00 1/9 5' >${path("proc")}/loadavg
check() {
    SECONDS=$((SECONDS + 1)) checks=$((checks + 1))
    echo "77 (a name) S 0 0 0 0 0 0 0 0 0 0 $((checks * ${hundredths})) 0 0 0" >${path("proc")}/77/stat
    [ "$checks" -gt ${passes} ]
}`;
    const MAIN_PROCESS = "MainPID=77\n";

    test("is waited for beyond its deadline while its process works, and not while it doesn't", () => {
        writeFileSync(path("process"), MAIN_PROCESS);
        expect(withSystemd(plays(50, 60), write("one"), "service_up unit 20 check").status).toBe(0);
        expect(withSystemd(plays(5, 60), write("two"), "service_up unit 20 check").status).toBe(1);
    }, 60_000);

    test("is waited for while its process has its share of a busy host, however little that is", () => {
        writeFileSync(path("process"), MAIN_PROCESS);
        const busy = `${availableParallelism() * 10}.00`;
        expect(withSystemd(plays(5, 60, busy), write("one"), "service_up unit 20 check").status).toBe(0);
    }, 60_000);

    test("is waited for while what comes before it isn't ready", () => {
        writeFileSync(path("process"), "SubState=start-pre\n");
        expect(withSystemd(plays(0, 60), write("one"), "service_up unit 20 check").status).toBe(0);
    }, 60_000);

    test("is given up in the end, though it works all the time", () => {
        writeFileSync(path("process"), MAIN_PROCESS);
        const { status, stderr } = withSystemd(plays(50, 1000), write("one"), "service_up unit 10 check; echo healthy");
        expect(status).toBe(1);
        expect(stderr).toContain("the last words of the unit");
    }, 60_000);

    test("that is started again and again is given up early, with its last lines, though each process works", () => {
        writeFileSync(path("process"), MAIN_PROCESS);
        writeFileSync(path("restarts"), "8\n");
        const started = Date.now();
        const up = withSystemd(plays(50, 1000), write("one"), "service_up unit 500 check");
        expect(Date.now() - started).toBeLessThan(20_000);
        expect(up.status).toBe(1);
        expect(up.stderr).toContain("started again 8 times");
        expect(up.stderr).toContain("the last words of the unit");
    }, 60_000);

    test("runs again as before when it doesn't become healthy after a change", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        const { status, stderr } = withSystemd(write("two"), "service_up unit 1 false");
        expect(status).toBe(1);
        expect(stderr).toContain("put back what was there before, and restarted unit with it");
        expect(readFileSync(path("unit"), "utf8")).toBe("one\n");
        expect(starts()).toHaveLength(2);
    });

    test("loses settings that were added to it, which are kept aside, and starts again without them", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        const added = path("unit.service.d/nice.conf");
        mkdirSync(path("unit.service.d"));
        writeFileSync(added, "[Service]\nNice=10\n");
        writeFileSync(path("drop-ins"), `/usr/lib/systemd/system/unit.service.d/vendor.conf ${added}\n`);
        rmSync(log);
        const { status, stderr } = withSystemd(write("one"), "service_up unit 5 true");
        expect({ status, gone: !existsSync(added) }).toEqual({ status: 0, gone: true });
        expect(stderr).toContain(
            `${added} is not part of the cluster: it is in ${path(`state/set-aside${added}`)} now`,
        );
        expect(readFileSync(path(`state/set-aside${added}`), "utf8")).toContain("Nice=10");
        expect(asked().indexOf("daemon-reload")).toBeGreaterThan(-1);
        expect(starts()).toHaveLength(1);
    });

    test("is enabled again where somebody has disabled it, without a restart", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        withSystemd(write("one"), "service_up unit 5 true");
        expect(enabled()).toHaveLength(1);
        expect(starts()).toEqual([]);
    });

    test("is left alone when it runs and nothing changed", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        expect(withSystemd(write("one"), "service_up unit 5 true").status).toBe(0);
        expect(starts()).toEqual([]);
        expect(asked().filter((call) => /^(stop|daemon-reload)/.test(call))).toEqual([]);
    });

    test("restarts when a file of it changed", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        withSystemd(write("two"), "service_up unit 5 true");
        expect(starts()).toHaveLength(1);
    });

    test("starts again when it doesn't run", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        rmSync(active);
        withSystemd(write("one"), "service_up unit 5 true");
        expect(starts()).toHaveLength(1);
    });

    test("restarts at the next run when the one that changed its files was cut off before", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        withSystemd(write("two"), "exit 1");
        expect(starts()).toEqual([]);
        withSystemd(write("two"), "service_up unit 5 true");
        expect(starts()).toHaveLength(1);
        rmSync(log);
        withSystemd(write("two"), "service_up unit 5 true");
        expect(starts()).toEqual([]);
    });

    test("isn't called healthy by an answer of the process that is about to end", () => {
        withSystemd(write("one"), "service_up unit 5 true");
        rmSync(log);
        // Healthy is who was started since the change: the old process answers until it has been stopped.
        withSystemd(write("two"), `service_up unit 5 bash -c 'echo checked >>${log}'`);
        expect(asked().indexOf("stop unit")).toBeGreaterThanOrEqual(0);
        const started = asked().indexOf(String(starts()[0]));
        expect(asked().indexOf("stop unit")).toBeLessThan(started);
        expect(started).toBeLessThan(asked().indexOf("checked"));
    });

    test("that doesn't become healthy fails the step with its last words", () => {
        const { status, stderr } = withSystemd(write("one"), "service_up unit 1 false");
        expect(status).toBe(1);
        expect(stderr).toMatch(/unit is not healthy: active.*checked: false/);
        expect(stderr).toContain("--- journalctl -u unit\nthe last words of the unit\n");
    });

    test("that keeps ending isn't waited for until the deadline", () => {
        writeFileSync(path("restarts"), "8\n");
        const started = Date.now();
        expect(withSystemd(write("one"), "service_up unit 60 false").status).toBe(1);
        expect(Date.now() - started).toBeLessThan(10_000);
    });

    test("that keeps ending is asked for its last words between two starts", () => {
        writeFileSync(path("restarts"), "8\n");
        writeFileSync(path("process"), "SubState=running\n");
        writeFileSync(join(bin, "journalctl"), `#!/bin/bash\ncat ${path("process")}\n`);
        const ends = `(sleep 5; echo SubState=auto-restart >${path("process")}) &`;
        const { stderr } = withSystemd(write("one"), ends, "service_up unit 60 false");
        expect(stderr).toContain("--- journalctl -u unit\nSubState=auto-restart\n");
    });

    test("with a renewed certificate restarts where it runs, and only there", () => {
        mkdirSync(path("units"), { recursive: true });
        writeFileSync(path("units/unit.service"), "");
        expect(withSystemd(write("certificate"), "service_refresh unit 5 true").status).toBe(0);
        expect(starts()).toEqual([]);
        writeFileSync(active, "");
        withSystemd(write("renewed"), "service_refresh unit 5 true");
        expect(starts()).toHaveLength(1);
        withSystemd(write("renewed"), "service_refresh unit 5 true");
        expect(starts()).toHaveLength(1);
    });

    test("is restarted only after another one of the machine has become healthy again", async () => {
        writeFileSync(active, "");
        const begin = (name: string, body: string): Promise<number | null> =>
            new Promise((resolve) => {
                const child = spawn("bash", ["-s"], { stdio: ["pipe", "ignore", "inherit"] });
                child.on("exit", resolve);
                child.stdin.end(`set -euo pipefail\n${library}\nPATH=${bin}:$PATH\nonce ${name}\nchanged=1\n${body}`);
            });
        // The file `active` stands for every unit: it is there throughout, as the others run on.
        writeFileSync(join(bin, "systemctl"), systemctl.replace(`stop | disable) rm -f ${active} ;;`, ""));
        const etcd = begin("etcd", `service_up etcd 20 bash -c 'echo asked >>${log}; [ -e ${path("healthy")} ]'`);
        while (!asked().includes("asked")) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const api = begin("api", "service_up api 5 true");
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(asked()).not.toContain("stop api");
        writeFileSync(path("healthy"), "");
        expect(await Promise.all([etcd, api])).toEqual([0, 0]);
        expect(asked().lastIndexOf("asked")).toBeLessThan(asked().indexOf("stop api"));
        rmSync(path("healthy"));
    });

    test("that goes is stopped and not started at the next boot", () => {
        expect(withSystemd("service_down unit").status).toBe(0);
        expect(asked()).toEqual(["disable --now --quiet unit", "daemon-reload"]);
    });
});
