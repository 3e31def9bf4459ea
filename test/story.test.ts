import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

jest.setTimeout(60_000);

const MODULES = join(__dirname, "../node_modules");
const SUPPORT = join(__dirname, "support/story");

/** Runs tests as a file of end-to-end tests. @returns what became of each, and whether what they made would stay. */
function tell(
    tests: string,
    variables: NodeJS.ProcessEnv = {},
): { readonly outcomes: string[]; readonly keeps: string } {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-story-"));
    const file = (name: string): string => join(directory, name);
    try {
        const config = {
            testEnvironment: `${SUPPORT}-environment.ts`,
            transform: { ts$: [join(MODULES, "ts-jest"), { isolatedModules: true, diagnostics: false }] },
        };
        writeFileSync(file("jest.config.json"), JSON.stringify(config));
        writeFileSync(
            file("a.test.ts"),
            `import { writeFileSync } from "node:fs";
            import { keepsForInspection, stopStory } from ${JSON.stringify(SUPPORT)};
            afterAll(() => writeFileSync(${JSON.stringify(file("keeps"))}, String(keepsForInspection())));
            ${tests}`,
        );
        const command = [join(MODULES, "jest/bin/jest.js"), "--json", `--outputFile=${file("report.json")}`];
        const { stderr } = spawnSync(process.execPath, command, {
            cwd: directory,
            env: { ...process.env, KUBELAB_KEEP: "", ...variables },
            encoding: "utf8",
        });
        const report = JSON.parse(readFileSync(file("report.json"), "utf8")) as {
            readonly testResults: readonly {
                readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
            }[];
        };
        const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
        expect(results.length > 0 ? "" : stderr).toBe("");
        return {
            outcomes: results.map(({ title, status }) => `${title}: ${status}`),
            keeps: readFileSync(file("keeps"), "utf8"),
        };
    } finally {
        rmSync(directory, { recursive: true });
    }
}

test("tests after a failed bring-up aren't run, and those after another failure are", () => {
    const { outcomes } = tell(`
        it("works", () => undefined);
        it("finds something wrong", () => { throw new Error("wrong"); });
        it("doesn't come up", () => { stopStory(); throw new Error("no cluster"); });
        it.each([1, 2])("looks at %s", () => { throw new Error("no cluster either"); });
    `);
    expect(outcomes).toEqual([
        "works: passed",
        "finds something wrong: failed",
        "doesn't come up: failed",
        "looks at 1: pending",
        "looks at 2: pending",
    ]);
});

test.each([
    ["a test that fails", 'it("fails", () => { throw new Error("wrong"); });', "failure", "true"],
    [
        "a bring-up before all tests that fails",
        'beforeAll(() => { throw new Error("wrong"); }); it("is", () => undefined);',
        "failure",
        "true",
    ],
    ["no failure", 'it("works", () => undefined);', "failure", "false"],
    ["a failure that nobody wants to look into", 'it("fails", () => { throw new Error("wrong"); });', "", "false"],
])("after %s", (_what, tests, wanted, keeps) => {
    expect(tell(tests, { KUBELAB_KEEP: wanted }).keeps).toBe(keeps);
});
