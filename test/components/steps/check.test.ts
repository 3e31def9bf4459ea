import {
    chmodSync,
    existsSync,
    mkdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { leaveCheck, putLines } from "../../../components/steps/script";
import { bash, shellcheck, temporaryDirectory, testWith, wholeScript } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);

const owner = bash("id -un; id -gn").stdout.trim().replace("\n", ":");
const original = readFileSync(join(__dirname, "../../../components/steps/check.sh"), "utf8");
/** The machine's directories below the test's own. */
const below = (script: string): string =>
    script
        .replaceAll("/var/lib/kubelab", path("state"))
        .replaceAll("/run/kubelab", path("run"))
        .replaceAll("/proc/sys", path("proc"));

/** Runs a step as on a machine. */
function step(name: string, create: readonly string[], operation = "create", remove: readonly string[] = []): void {
    const script = wholeScript({ create, delete: remove });
    const { status, stderr } = bash(below(`PATH=${path("bin")}:$PATH\nexport step=${name}\n${script}`), [operation]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}

/** What the check prints, line by line. */
function differences(): string[] {
    const { status, stdout, stderr } = bash(below(`PATH=${path("bin")}:$PATH\n${original}`));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.split("\n").filter((line) => line !== "");
}

const put = (name: string, content: string, mode = "0640"): string =>
    `put "${path(name)}" ${mode} ${owner} <<'END'\n${content}\nEND`;

function program(name: string, text: string): void {
    mkdirSync(path("bin"), { recursive: true });
    writeFileSync(path(`bin/${name}`), `#!/bin/bash\n${text}\n`);
    chmodSync(path(`bin/${name}`), 0o755);
}

beforeEach(() => {
    for (const name of ["state", "run", "etc", "bin"]) {
        rmSync(path(name), { recursive: true, force: true });
    }
});

testWith("shellcheck")("passes shellcheck", () => {
    expect(shellcheck({ "check.sh": original })).toBe("");
});

describe("files", () => {
    beforeEach(() => step("one", ["once one", put("etc/a", "a"), put("etc/b with a blank", "b", "0400")]));

    test("that are as they were put don't differ", () => {
        expect(differences()).toEqual([]);
    });

    test.each([
        ["edited", () => writeFileSync(path("etc/a"), "other"), "edited"],
        ["removed", () => rmSync(path("etc/a")), "gone"],
        [
            "opened to everyone",
            () => chmodSync(path("etc/a"), 0o644),
            `mode and owner 644 ${owner.replace(":", " ")}, not 640 ${owner.replace(":", " ")}`,
        ],
        [
            "that became a link, as a masked unit does",
            () => {
                rmSync(path("etc/a"));
                symlinkSync("/dev/null", path("etc/a"));
            },
            "is no file any more",
        ],
    ])("%s are named", (_, change, difference) => {
        change();
        expect(differences()).toEqual([`${path("etc/a")}: ${difference}`]);
    });

    test("that the step puts again are right again, and so is their record", () => {
        rmSync(path("etc/a"));
        writeFileSync(path("etc/b with a blank"), "other");
        step("one", ["once one", put("etc/a", "a"), put("etc/b with a blank", "b", "0400")]);
        expect(differences()).toEqual([]);
    });

    test("that the step doesn't put any more are forgotten", () => {
        step("one", ["once one", put("etc/a", "a")]);
        rmSync(path("etc/b with a blank"));
        expect(differences()).toEqual([]);
    });

    test("of a step that was undone are forgotten", () => {
        step("one", [], "delete", ["once one", `rm -rf ${path("etc")}`]);
        step("two", ["once two", put("etc/two", "two")]);
        expect(differences()).toEqual([]);
    });
});

describe("the record", () => {
    test("is for its owner's eyes alone", () => {
        step("one", ["once one", put("etc/a", "a")]);
        expect((statSync(path("state/record")).mode & 0o777).toString(8)).toBe("700");
        expect((statSync(path("state/record/one")).mode & 0o777).toString(8)).toBe("600");
    });

    test("that is gone, or one step's of it, is a difference itself", () => {
        step("one", ["once one", put("etc/a", "a")]);
        step("two", ["once two", put("etc/b", "b")]);
        rmSync(path("state/record/one"));
        expect(differences()).toEqual([`${path("state/record/one")}: gone`]);
        rmSync(path("state"), { recursive: true });
        expect(differences()).toEqual([`${path("state")}: the record of what was set up is gone`]);
    });

    test("of a step that failed stays what it was", () => {
        step("one", ["once one", put("etc/a", "a")]);
        const before = readFileSync(path("state/record/one"), "utf8");
        const failing = wholeScript({ create: ["once one", put("etc/a", "b"), "exit 3"] });
        expect(bash(below(`export step=one\n${failing}`), ["create"]).status).toBe(3);
        expect(readFileSync(path("state/record/one"), "utf8")).toBe(before);
        expect(differences()).toEqual([]);
    });

    test("keeps what there was before kubelab's first change, and no later state", () => {
        mkdirSync(path("etc"));
        writeFileSync(path("etc/a"), "the person's own");
        step("one", ["once one", put("etc/a", "first"), put("etc/new", "first")]);
        step("one", ["once one", put("etc/a", "second"), put("etc/new", "second")]);
        expect(readFileSync(path(`state/original${path("etc/a")}`), "utf8")).toBe("the person's own");
        expect(existsSync(path(`state/original${path("etc/new")}`))).toBe(false);
    });

    test("tells which directories kubelab made, also after it has run again", () => {
        step("one", ["once one", put("etc/deep/a", "a")]);
        step("one", ["once one", put("etc/deep/a", "b")]);
        const lines = readFileSync(path("state/record/one"), "utf8").split("\n");
        expect(lines.filter((line) => line.startsWith("directory ")).sort()).toEqual([
            `directory ${path("etc")}`,
            `directory ${path("etc/deep")}`,
        ]);
    });
});

test("own lines of a file that others write too are watched, and nothing else in it", () => {
    mkdirSync(path("etc"));
    writeFileSync(path("etc/hosts"), "127.0.0.1 localhost\n");
    step("ready", ["once ready", putLines(path("etc/hosts"), ["10.0.0.1 api"])]);
    expect(readFileSync(path("etc/hosts"), "utf8")).toBe("127.0.0.1 localhost\n10.0.0.1 api # kubelab\n");
    writeFileSync(path("etc/hosts"), `${readFileSync(path("etc/hosts"), "utf8")}10.0.0.2 mine\n`);
    expect(differences()).toEqual([]);
    step("ready", ["once ready", putLines(path("etc/hosts"), ["10.0.0.3 api"])]);
    expect(readFileSync(path("etc/hosts"), "utf8")).toBe(
        "127.0.0.1 localhost\n10.0.0.2 mine\n10.0.0.3 api # kubelab\n",
    );
    expect(readFileSync(path(`state/original${path("etc/hosts")}`), "utf8")).toBe("127.0.0.1 localhost\n");
    writeFileSync(path("etc/hosts"), "127.0.0.1 localhost\n");
    expect(differences()).toEqual([`${path("etc/hosts")}: lines that end in '# kubelab' are gone or changed`]);
});

describe("links and programs", () => {
    const target = path("etc/program");
    beforeEach(() => {
        mkdirSync(path("etc"));
        writeFileSync(target, "program");
        symlinkSync(target, path("etc/link"));
        const sum = bash(`sha256sum ${target}`).stdout.split(" ")[0] ?? "";
        const stat = bash(`stat -c '%s %Y' ${target}`).stdout.trim();
        step("parts", ["once parts", `note link ${target} ${path("etc/link")}`, `note part ${sum} ${stat} ${target}`]);
    });

    test("that are as they were don't differ, whatever their time of change", () => {
        utimesSync(target, 1, 1);
        expect(differences()).toEqual([]);
    });

    test("are named when the one is gone or points elsewhere, or the other was written to", () => {
        writeFileSync(target, "programs");
        rmSync(path("etc/link"));
        expect(differences()).toEqual([`${path("etc/link")}: gone`, `${target}: isn't the program that was put there`]);
        symlinkSync("/bin/true", path("etc/link"));
        expect(differences()[0]).toBe(`${path("etc/link")}: isn't the link to ${target} any more`);
    });
});

describe("units", () => {
    /** Plays systemd. */
    function systemd(properties: Readonly<Record<string, string>>, enabled = "enabled"): void {
        const all = { LoadState: "loaded", ActiveState: "active", MainPID: "0", DropInPaths: "", ...properties };
        const lines = Object.entries({ Id: "it.service", ...all }).map(([key, value]) => `echo '${key}=${value}'`);
        program("systemctl", `case $1 in show) ${lines.join("; ")} ;; is-enabled) echo ${enabled} ;; esac`);
    }

    beforeEach(() => step("it", ["once it", "note unit it"]));

    test.each([
        ["runs and starts at boot", {}, "enabled", []],
        ["is stopped", { ActiveState: "inactive" }, "enabled", ["it.service: inactive"]],
        [
            "is masked",
            { LoadState: "masked", ActiveState: "failed" },
            "masked",
            ["it.service: masked", "it.service: failed"],
        ],
        ["is gone", { LoadState: "not-found", ActiveState: "inactive" }, "", ["it.service: gone"]],
        ["doesn't start at boot", {}, "disabled", ["it.service: doesn't start at boot: disabled"]],
        [
            "has settings of its own beside its file",
            {
                DropInPaths:
                    "/usr/lib/systemd/system/it.service.d/x.conf /etc/systemd/system/service.d/all.conf /run/systemd/system/it.service.d/y.conf",
            },
            "enabled",
            ["it.service: has other settings from /run/systemd/system/it.service.d/y.conf"],
        ],
    ])("one that %s", (_, properties, enabled, expected) => {
        systemd(properties, enabled);
        expect(differences()).toEqual(expected);
    });
});

describe("a check of its own", () => {
    const leave = (...statements: string[]): void =>
        step("it", ["once it", ...leaveCheck({ name: "it", subject: "routes", statements })]);

    test("tells each difference on a line", () => {
        leave("echo 'one: gone'", "echo two");
        expect(differences()).toEqual(["routes: one: gone", "routes: two"]);
    });

    test("that says nothing finds nothing", () => {
        leave("true");
        expect(differences()).toEqual([]);
    });

    test("that fails says so with its last line", () => {
        leave("echo first", "echo last >&2", "exit 4");
        expect(differences()).toEqual(["routes: can't be checked: last"]);
    });
});

test("a kernel setting that was changed is named, with what it was before kubelab in the record", () => {
    program("sysctl", `case $1 in -n) cat ${path("proc/net/x/y")} ;; esac`);
    mkdirSync(path("proc/net/x"), { recursive: true });
    writeFileSync(path("proc/net/x/y"), "0\n");
    step("ready", ["once ready", put("etc/sysctls", "# why\nnet.x.y = 1"), `apply_sysctls ${path("etc/sysctls")}`]);
    expect(differences()).toEqual([]);
    writeFileSync(path("proc/net/x/y"), "0\n");
    expect(differences()).toEqual(["sysctl net.x.y: 0, not 1"]);
    step("ready", ["once ready", put("etc/sysctls", "net.x.y = 1"), `apply_sysctls ${path("etc/sysctls")}`]);
    expect(readFileSync(path("state/record/ready"), "utf8")).toContain("sysctl net.x.y 1 0\n");
});
