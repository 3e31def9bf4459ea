import { spawnSync } from "node:child_process";
import { userInfo } from "node:os";
import { join } from "node:path";
import { cacheDirectory, homeDirectory } from "../../../scripts/support/paths";
import { givenPath, settlePaths, workingDirectory } from "../../../scripts/support/working-directory";

const REPOSITORY = join(__dirname, "../../..");
const OWN = userInfo().homedir;

const ENVIRONMENTS: readonly (readonly [NodeJS.ProcessEnv, string])[] = [
    [{ HOME: "/home/u" }, "/home/u/.cache/kubelab"],
    [{}, `${OWN}/.cache/kubelab`],
    [{ HOME: "" }, `${OWN}/.cache/kubelab`],
    [{ HOME: "home" }, `${OWN}/.cache/kubelab`],
    [{ HOME: "/home/u", XDG_CACHE_HOME: "" }, "/home/u/.cache/kubelab"],
    [{ HOME: "/home/u", XDG_CACHE_HOME: "relative" }, "/home/u/.cache/kubelab"],
    [{ HOME: "/home/u", XDG_CACHE_HOME: "/var/cache" }, "/var/cache/kubelab"],
    [{ HOME: "/home/u", KUBELAB_CACHE: "", XDG_CACHE_HOME: "/var/cache" }, "/var/cache/kubelab"],
    [{ HOME: "/home/u", KUBELAB_CACHE: "/a cache/of 'mine'" }, "/a cache/of 'mine'"],
    [{ KUBELAB_CACHE: "here" }, join(REPOSITORY, "here")],
];

test.each(ENVIRONMENTS)("with %p the cache is %s, for Node.js as for bash", (environment, expected) => {
    const stood = process.cwd();
    process.chdir(REPOSITORY);
    try {
        expect(cacheDirectory(environment)).toBe(expected);
    } finally {
        process.chdir(stood);
    }
    const script = join(REPOSITORY, "components/steps/parts/cache-directory.sh");
    const { stdout, stderr } = spawnSync("bash", ["-euc", '. "$1"; cache_directory', "bash", script], {
        cwd: REPOSITORY,
        encoding: "utf8",
        env: { PATH: process.env["PATH"], ...environment },
    });
    expect(stdout || stderr).toBe(`${expected}\n`);
});

test("without a HOME that is a path, home is what the system knows", () => {
    expect([{}, { HOME: "" }, { HOME: "x" }, { HOME: "/h" }].map(homeDirectory)).toEqual([OWN, OWN, OWN, "/h"]);
});

test("paths begin where the user stands, also those in the environment", () => {
    const kept = process.env["KUBELAB_WORKING_DIRECTORY"];
    try {
        process.env["KUBELAB_WORKING_DIRECTORY"] = "/usr/share";
        expect([givenPath("a.json"), givenPath("/b.json")]).toEqual(["/usr/share/a.json", "/b.json"]);
        const environment = { ONE: "cache", TWO: "/cache", THREE: "" };
        settlePaths(["ONE", "TWO", "THREE", "FOUR"], environment);
        expect(environment).toEqual({ ONE: "/usr/share/cache", TWO: "/cache", THREE: "" });
        process.env["KUBELAB_WORKING_DIRECTORY"] = "/no/longer/there";
        expect(workingDirectory()).toBe(process.cwd());
    } finally {
        delete process.env["KUBELAB_WORKING_DIRECTORY"];
        if (kept !== undefined) {
            process.env["KUBELAB_WORKING_DIRECTORY"] = kept;
        }
    }
});
