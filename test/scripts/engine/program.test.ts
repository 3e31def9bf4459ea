import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cachedCli, pinnedCliVersion } from "../../../scripts/engine/cli";
import { programOnPath } from "../../../scripts/support/ends-with-parent";

const REPOSITORY = resolve(__dirname, "../../..");
const hasCli = programOnPath("pulumi") !== undefined || existsSync(cachedCli(pinnedCliVersion()));
const withCli = hasCli ? test : test.skip;

const PROGRAM = `
const { local } = require("@pulumi/command");
const made = new local.Command("made", { create: "sleep 1; echo made" });
const refused = new local.Command("refused", { create: made.stdout.apply(() => { throw new Error("this isn't signed"); }) });
new local.Command("waiting", { create: refused.stdout });
`;

let project: string;

beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "program-"));
    symlinkSync(join(REPOSITORY, "node_modules"), join(project, "node_modules"));
    writeFileSync(join(project, "index.js"), PROGRAM);
    writeFileSync(join(project, "package.json"), '{"name": "sample", "main": "index.js"}');
    writeFileSync(join(project, "Pulumi.yaml"), "name: sample\nruntime: nodejs\nmain: index.js\n");
});
afterEach(() => {
    rmSync(project, { recursive: true, force: true });
});

withCli(
    "a run ends when an output's function fails, although other resources wait for that output",
    () => {
        const main = join(REPOSITORY, "test/support/engine-main.ts");
        const command = ["--import", join(REPOSITORY, "node_modules/tsx/dist/loader.mjs"), main, "up", "test"];
        const { status, stderr } = spawnSync(process.execPath, command, {
            cwd: project,
            encoding: "utf8",
            timeout: 50_000,
        });
        expect({ status, stderr }).toEqual({
            status: 1,
            stderr: expect.stringContaining("this isn't signed") as string,
        });
    },
    60_000,
);
