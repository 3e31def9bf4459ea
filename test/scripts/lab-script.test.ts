import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { temporaryDirectory } from "../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const SCRIPT = join(__dirname, "../../scripts/lab");
const bin = join(directory.path, "bin");

/** A checkout with this name, and a `node` that tells how it was called. */
function checkout(name: string): string {
    const path = join(directory.path, name);
    mkdirSync(join(path, "scripts"), { recursive: true });
    mkdirSync(join(path, "node_modules"));
    cpSync(SCRIPT, join(path, "scripts/lab"));
    writeFileSync(join(path, "package-lock.json"), "{}");
    writeFileSync(join(path, "node_modules/.package-lock.json"), "{}");
    spawnSync("touch", ["-d", "1 minute ago", join(path, "package-lock.json")]);
    mkdirSync(bin, { recursive: true });
    writeFileSync(
        join(bin, "node"),
        `#!/bin/bash
if [ "$1" = --version ]; then echo v22.0.0; exit; fi
printf '%s\\n' "PWD=$PWD" "ARGUMENTS=$*" "STOOD=$KUBELAB_WORKING_DIRECTORY" "HOME=$HOME" "PATH=$PATH" "TMPDIR=\${TMPDIR-unset}" "BASH_ENV=\${BASH_ENV-unset}" "TAR_OPTIONS=\${TAR_OPTIONS-unset}"
`,
        { mode: 0o755 },
    );
    return path;
}

/** What the script hands over to Node.js, by name. */
function called(
    script: string,
    { cwd = "/", environment = {} }: { readonly cwd?: string; readonly environment?: NodeJS.ProcessEnv } = {},
): Record<string, string> {
    const { status, stdout, stderr } = spawnSync("/bin/bash", [script, "kubectl", "apply"], {
        cwd,
        encoding: "utf8",
        env: { PATH: `${bin}:/usr/bin:/bin`, ...environment },
    });
    if (status !== 0) {
        throw new Error(`it ended with ${status}: ${stderr}`);
    }
    const lines = stdout.trimEnd().split("\n");
    return Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
}

test.each(["plain", "a blank", "per%41cent", `quotes'"`, "ünïcödé", "[brackets] (and) $dollar", "l".repeat(200)])(
    "a clone in a directory named %p is found, from wherever the user stands, also by a symbolic link",
    (name) => {
        const path = checkout(name);
        const link = join(directory.path, "lab");
        rmSync(link, { force: true });
        symlinkSync(join(path, "scripts/lab"), link);
        for (const script of [join(path, "scripts/lab"), link]) {
            expect(called(script, { cwd: "/usr/share" })).toMatchObject({
                PWD: path,
                STOOD: "/usr/share",
                ARGUMENTS: "--require tsx/cjs scripts/cli/main.ts kubectl apply",
            });
        }
    },
);

test("a name that Node.js can't load programs from is refused with what to do", () => {
    expect(() => called(join(checkout("question?"), "scripts/lab"))).toThrow(
        /question mark in it: rename .*question\?/,
    );
});

test("nothing depends on what a login shell sets, or what a user has set for themselves", () => {
    const path = checkout("environment");
    const script = join(path, "scripts/lab");
    const own = userInfo().homedir;
    const elsewhere = join(directory.path, "elsewhere");
    mkdirSync(join(elsewhere, "scripts"), { recursive: true });
    expect(called(script)).toMatchObject({ HOME: own, TMPDIR: "unset" });
    expect(called(script, { environment: { HOME: "" } })).toMatchObject({ HOME: own });
    expect(called(script, { environment: { HOME: "relative" } })).toMatchObject({ HOME: own });
    expect(called(script, { environment: { HOME: "/srv", TMPDIR: "/var/tmp" } })).toMatchObject({
        HOME: "/srv",
        TMPDIR: "/var/tmp",
    });
    for (const TMPDIR of ["", "relative", "/not/there"]) {
        expect(called(script, { environment: { TMPDIR } })).toMatchObject({ TMPDIR: "unset" });
    }
    expect(called(script)["PATH"]).toBe(`${bin}:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin`);
    const variables = { BASH_ENV: "/dev/null", TAR_OPTIONS: "--verbose", CDPATH: elsewhere };
    expect(called("scripts/lab", { cwd: path, environment: variables })).toMatchObject({
        PWD: path,
        BASH_ENV: "unset",
        TAR_OPTIONS: "unset",
    });
});

test("what Node.js says in place of its version is told", () => {
    const path = checkout("options");
    const environment = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, NODE_OPTIONS: "--no-such-option" };
    expect(() => called(join(path, "scripts/lab"), { environment })).toThrow(
        /needs Node.js 20 or later; here is .*--no-such-option is not allowed in NODE_OPTIONS/,
    );
});

test("of two commands in a new checkout one installs the packages, and the other waits for them", async () => {
    const path = checkout("new");
    rmSync(join(path, "node_modules"), { recursive: true });
    const log = join(path, "log");
    writeFileSync(
        join(bin, "npm"),
        `#!/bin/bash
echo begins >> ${log}; sleep 1; mkdir -p node_modules; echo '{}' > node_modules/.package-lock.json; echo ends >> ${log}
`,
        { mode: 0o755 },
    );
    const run = promisify(execFile);
    const both = await Promise.all(
        [1, 2].map(() =>
            run("/bin/bash", [join(path, "scripts/lab"), "status"], { env: { PATH: `${bin}:/usr/bin:/bin` } }),
        ),
    );
    expect(both.map(({ stdout }) => /^ARGUMENTS=(.*)$/m.exec(stdout)?.[1])).toEqual(
        Array(2).fill("--require tsx/cjs scripts/cli/main.ts status"),
    );
    expect(readFileSync(log, "utf8")).toBe("begins\nends\n");
});
