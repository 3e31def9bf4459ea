import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { ownProgram } from "../../../components/steps/own-program";
import { temporaryDirectory } from "../../support/bash";

const PACKAGE = join(__dirname, "../../..");
const directory = temporaryDirectory();
afterAll(directory.remove);

test("in the package's own project a command has no path in it that another checkout hasn't", () => {
    expect(ownProgram("scripts/hosts/main.ts", PACKAGE)).toBe("node --require tsx/cjs scripts/hosts/main.ts");
    expect(ownProgram("scripts/hosts/main.ts", join(PACKAGE, "docs"))).toBe(
        "node --require ../node_modules/tsx/dist/cjs/index.cjs ../scripts/hosts/main.ts",
    );
});

test("a program runs from a project with blanks and quotes in its path", () => {
    const project = join(realpathSync(directory.path), `it's "a 100% lab" #1`);
    mkdirSync(project, { recursive: true });
    const command = ownProgram("scripts/hosts/main.ts", project);
    const { stderr } = spawnSync("/bin/sh", ["-c", command], { cwd: project, encoding: "utf8" });
    expect(stderr).toBe("usage: main.ts claim|leave, with one JSON object on standard input\n");
}, 60_000);
