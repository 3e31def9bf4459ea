import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { ownProgram } from "../../../components/steps/own-program";
import { temporaryDirectory } from "../../support/bash";

const PACKAGE = join(__dirname, "../../..");
const LOADERS = ["--import tsx", "--require tsx/cjs"] as const;
const directory = temporaryDirectory();
afterAll(directory.remove);

test("in the package's own project a command has no path in it that another checkout hasn't", () => {
    expect(ownProgram("scripts/hosts/main.ts", "--import tsx", PACKAGE)).toBe(
        "node --import tsx scripts/hosts/main.ts",
    );
    expect(ownProgram("scripts/hosts/main.ts", "--import tsx", join(PACKAGE, "docs"))).toBe(
        "node --import ../node_modules/tsx/dist/loader.mjs ../scripts/hosts/main.ts",
    );
});

test.each(LOADERS)(
    "a program runs from a project with blanks and quotes in its path, by %s",
    (loader) => {
        const project = join(realpathSync(directory.path), `it's "a 100% lab" #1`);
        mkdirSync(project, { recursive: true });
        const command = ownProgram("scripts/hosts/main.ts", loader, project);
        const { stderr } = spawnSync("/bin/sh", ["-c", command], { cwd: project, encoding: "utf8" });
        expect(stderr).toBe("usage: main.ts claim|leave, with one JSON object on standard input\n");
    },
    60_000,
);
