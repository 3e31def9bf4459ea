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

/** A row for each SIG, and one for all; then a line for each spec that was skipped or failed. */
export function renderResults(results: readonly SpecResult[]): string {
    const count = (some: readonly SpecResult[], result: SpecResult["result"]): string =>
        String(some.filter((each) => each.result === result).length);
    const row = (name: string, some: readonly SpecResult[]): string[] => [
        name,
        count(some, "passed"),
        count(some, "failed"),
        count(some, "skipped"),
    ];
    const sigs = [...new Set(results.map(({ name }) => sigOf(name)))].sort();
    const rows = sigs.map((sig) =>
        row(
            sig,
            results.filter(({ name }) => sigOf(name) === sig),
        ),
    );
    const others = results
        .filter(({ result }) => result !== "passed")
        .map(({ name, result, reason = "" }) => `${result}: ${name}: ${reason}`);
    return [renderTable(["SIG", "PASSED", "FAILED", "SKIPPED"], [...rows, row("all", results)]), ...others].join("\n");
}
