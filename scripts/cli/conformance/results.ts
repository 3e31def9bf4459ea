import { z } from "zod";
import { renderTable } from "../table";

/** What is read of ginkgo's report; https://pkg.go.dev/github.com/onsi/ginkgo/v2/types#Report */
const report = z.array(
    z.object({
        SpecReports: z
            .array(
                z.object({
                    LeafNodeType: z.string(),
                    ContainerHierarchyTexts: z.array(z.string()).nullish(),
                    LeafNodeText: z.string(),
                    State: z.string(),
                    /** Nanoseconds. */
                    RunTime: z.number(),
                    Failure: z.object({ Message: z.string() }).nullish(),
                }),
            )
            .nullish(),
    }),
);

/** What became of a spec that was selected. */
export interface SpecResult {
    /** `[sig-network] DNS should provide DNS for services [Conformance]` */
    readonly name: string;
    readonly result: "passed" | "failed" | "skipped";
    readonly seconds: number;
    /** Why it failed or was skipped. */
    readonly reason?: string;
}

/** Those that were selected, in ginkgo's report: another one is skipped without a word. */
export function readResults(json: string): SpecResult[] {
    const specs = report.parse(JSON.parse(json)).flatMap(({ SpecReports }) => SpecReports ?? []);
    return specs.flatMap((spec): SpecResult[] => {
        const reason = spec.Failure?.Message.split("\n")[0] ?? "";
        if (spec.LeafNodeType !== "It" || (spec.State === "skipped" && reason === "") || spec.State === "pending") {
            return [];
        }
        const result = spec.State === "passed" || spec.State === "skipped" ? spec.State : "failed";
        return [
            {
                name: [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" "),
                result,
                seconds: spec.RunTime / 1e9,
                ...(reason === "" ? {} : { reason }),
            },
        ];
    });
}

/** `network` of `[sig-network] …` */
export function sigOf(name: string): string {
    return /^\[sig-([a-z-]+)\]/.exec(name)?.[1] ?? "other";
}

/** How many specs of a SIG came to what. */
export type Counts = Readonly<Record<SpecResult["result"], number>>;

/** Results in short: what docs/conformance.md is made of. */
export interface Summary {
    /** By SIG, `network`. */
    readonly sigs: Readonly<Record<string, Counts>>;
    /** Those that didn't pass. */
    readonly others: readonly SpecResult[];
}

export function summarize(results: readonly SpecResult[]): Summary {
    const sigs = [...new Set(results.map(({ name }) => sigOf(name)))].sort();
    const own = (sig: string): SpecResult[] => results.filter(({ name }) => sigOf(name) === sig);
    return {
        sigs: Object.fromEntries(sigs.map((sig) => [sig, countResults(own(sig))])),
        others: results.filter(({ result }) => result !== "passed"),
    };
}

function countResults(results: readonly SpecResult[]): Counts {
    const count = (wanted: SpecResult["result"]): number => results.filter(({ result }) => result === wanted).length;
    return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** A row for each SIG, and one for all. */
export function rowsOf({ sigs }: Summary): [name: string, counts: Counts][] {
    const add = (one: Counts, other: Counts): Counts => ({
        passed: one.passed + other.passed,
        failed: one.failed + other.failed,
        skipped: one.skipped + other.skipped,
    });
    const all = Object.values(sigs).reduce(add, { passed: 0, failed: 0, skipped: 0 });
    return [...Object.entries(sigs), ["all", all]];
}

/** The rows as a table; then a line for each spec that was skipped or failed. */
export function renderSummary(summary: Summary): string {
    const rows = rowsOf(summary).map(([name, { passed, failed, skipped }]) =>
        [name, passed, failed, skipped].map((each) => String(each)),
    );
    const others = summary.others.map(({ name, result, reason = "" }) => `${result}: ${name}: ${reason}`);
    return [renderTable(["SIG", "PASSED", "FAILED", "SKIPPED"], rows), ...others].join("\n");
}
