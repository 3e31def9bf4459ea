import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, story } from "../support/lab";
import { CONFORMANCE_SAMPLE } from "../support/conformance-sample";

/** How many conformance specs sig-network has in the pinned Kubernetes. */
const NETWORK = 47;

interface Result {
    readonly name: string;
    readonly result: string;
}

story("Kubernetes' own conformance suite", () => {
    const directory = temporaryDirectory();
    const report = join(directory.path, "report");
    let lab: Lab;
    let host: HostBefore;

    const literal = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const others = (results: readonly Result[]): Result[] => results.filter(({ result }) => result !== "passed");

    beforeAll(() => {
        lab = new Lab("conformance", "10.249.13.0/24");
        host = new HostBefore(/test-conformance|10\.249\.13\./);
        lab.up();
    }, 600_000);
    afterAll(() => {
        lab.remove();
        directory.remove();
    }, 120_000);

    it("passes every spec of networking, and a sample of the others'", () => {
        const focus = [String.raw`\[sig-network\]`, ...CONFORMANCE_SAMPLE.map(literal)].join("|");
        const { code, stdout, stderr } = lab.run(
            "conformance",
            ["--focus", focus, "--nodes", "6", "--report", report],
            1_200,
        );
        const results = JSON.parse(readFileSync(join(report, "results.json"), "utf8")) as Result[];
        expect({ others: others(results), said: code === 0 ? "" : stdout + stderr }).toEqual({ others: [], said: "" });
        expect(results.filter(({ name }) => name.startsWith("[sig-network]"))).toHaveLength(NETWORK);
        expect(results).toHaveLength(NETWORK + CONFORMANCE_SAMPLE.length);
        expect(stdout).toMatch(new RegExp(`^all +${NETWORK + CONFORMANCE_SAMPLE.length} +0 +0$`, "m"));
    }, 1_300_000);

    it("writes what the certification programme asks for", () => {
        expect(readdirSync(report)).toEqual(
            expect.arrayContaining(["README.md", "e2e.log", "junit_01.xml", "results.json", "summary.json"]),
        );
        expect(readFileSync(join(report, "junit_01.xml"), "utf8")).toContain("[sig-network] DNS should provide");
        expect(readFileSync(join(report, "e2e.log"), "utf8")).toMatch(/^Ran \d+ of \d+ Specs/m);
    });

    it("ends a run that is interrupted, with the specs' namespaces", async () => {
        const namespaces = (...options: string[]): string =>
            lab.kubectl("get", "namespaces", "-l", "e2e-run", "-o", "name", ...options);
        await eventually(120, () => {
            expect(namespaces()).toBe("");
        });
        const run = lab.start("conformance", ["--sig", "apps", "--report", join(directory.path, "interrupted")]);
        await eventually(240, () => {
            expect(namespaces()).not.toBe("");
        });
        run.interrupt();
        expect((await run.ended).code).not.toBe(0);
        expect(namespaces("--field-selector", "status.phase=Active")).toBe("");
    }, 500_000);

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
