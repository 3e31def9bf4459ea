import { readFileSync } from "node:fs";
import { join } from "node:path";
import { imageFiles } from "../../../scripts/cli/conformance/images";
import { SuiteProgress } from "../../../scripts/cli/conformance/progress";
import { readResults, renderSummary, summarize } from "../../../scripts/cli/conformance/results";
import { conformancePage } from "../../../scripts/docs/conformance-page";
import { readRecipe, selectParts } from "../../../scripts/parts/recipe";

/** As ginkgo prints with -v and several processes. */
const OUTPUT = `Running Suite: Kubernetes e2e suite - /parts/bin
=================================================
Random Seed: 1 - will randomize all specs

Will run 4 of 7579 specs
Running in parallel across 4 processes
------------------------------
• [5.123 seconds]
[sig-network] DNS should provide DNS for services [Conformance] [sig-network, Conformance]
k8s.io/kubernetes/test/e2e/network/dns.go:48

  Timeline >>
  STEP: Creating a kubernetes client @ 11/28/26 23:14:01.1
  << Timeline
------------------------------
• [FAILED] [7.001 seconds]
[sig-node] Secrets [It] should be consumable via the environment [NodeConformance] [Conformance] [sig-node, Conformance]
k8s.io/kubernetes/test/e2e/common/node/secrets.go:90

  [FAILED] "SECRET_DATA=value-1" in container output: expected
------------------------------
S [SKIPPED] [0.4 seconds]
[sig-storage] Volumes [It] of some kind [Conformance] [sig-storage, Conformance]
------------------------------
• [1.000 seconds]
[sig-apps] Job should run [Conformance] [sig-apps, Conformance]
`;

test("progress counts what ginkgo prints, and tells failures by their names", () => {
    const progress = new SuiteProgress();
    expect(progress.text()).toBe("looking which specs there are");
    const told = OUTPUT.split("\n").flatMap((line) => progress.take(line) ?? []);
    expect(told).toEqual([
        "[sig-node] Secrets should be consumable via the environment [NodeConformance] [Conformance]",
    ]);
    expect(progress.text()).toBe("4 of 4, 1 failed");
});

describe("results", () => {
    const spec = (leaf: string, State: string, Message?: string) => ({
        ContainerHierarchyTexts: ["[sig-network] DNS"],
        LeafNodeType: "It",
        LeafNodeText: leaf,
        State,
        RunTime: 1.5e9,
        ...(Message === undefined ? {} : { Failure: { Message } }),
    });
    const json = JSON.stringify([
        {
            SpecReports: [
                { LeafNodeType: "SynchronizedBeforeSuite", LeafNodeText: "", State: "passed", RunTime: 1 },
                spec("a [Conformance]", "passed"),
                spec("b [Conformance]", "failed", "it broke\nat length"),
                spec("c [Conformance]", "skipped", "needs two zones"),
                spec("d, which wasn't selected", "skipped"),
                spec("e [Conformance]", "timedout", "too long"),
            ],
        },
    ]);

    test("are those of the specs that were selected, with the reason where one didn't pass", () => {
        expect(readResults(json).map(({ name, result, reason }) => [name, result, reason])).toEqual([
            ["[sig-network] DNS a [Conformance]", "passed", undefined],
            ["[sig-network] DNS b [Conformance]", "failed", "it broke"],
            ["[sig-network] DNS c [Conformance]", "skipped", "needs two zones"],
            ["[sig-network] DNS e [Conformance]", "failed", "too long"],
        ]);
    });

    test("are counted by SIG", () => {
        expect(renderSummary(summarize(readResults(json)))).toBe(
            [
                "SIG      PASSED  FAILED  SKIPPED",
                "network  1       2       1",
                "all      1       2       1",
                "failed: [sig-network] DNS b [Conformance]: it broke",
                "skipped: [sig-network] DNS c [Conformance]: needs two zones",
                "failed: [sig-network] DNS e [Conformance]: too long",
            ].join("\n"),
        );
    });
});

test("every image of the suite is given to the nodes, and none of the lab's own", () => {
    const parts = { path: "/nowhere", digest: "0" } as Parameters<typeof imageFiles>[0];
    expect(imageFiles(parts)).toEqual([]);
    const own = selectParts(readRecipe(), []).images.map(({ file }) => file);
    const all = selectParts(readRecipe(), ["conformance"]).images.map(({ file }) => file);
    const suite = all.filter((file) => !own.includes(file));
    expect(suite.length).toBeGreaterThan(10);
    expect(suite.every((file) => file.startsWith("e2e-"))).toBe(true);
});

test("docs/conformance.md is as the results are", () => {
    expect(readFileSync(join(__dirname, "../../../docs/conformance.md"), "utf8")).toBe(conformancePage());
});
