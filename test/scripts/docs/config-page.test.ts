import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keptForLife } from "../../../components/cluster-spec";
import { LIVE_CHANGES } from "../../../components/cluster-spec/live-changes";
import { argDocs } from "../../../scripts/docs/arg-docs";
import { configPage } from "../../../scripts/docs/config-page";
import { testSpec } from "../../support/spec";

test("docs/config.md is what the args' documentation makes of it: node --require tsx/cjs scripts/docs/main.ts", () => {
    expect(readFileSync(join(__dirname, "../../../docs/config.md"), "utf8")).toBe(configPage());
});

test("what a cluster keeps for life is shown as refused", () => {
    const specs = [
        testSpec({ network: "cni" }),
        testSpec({ provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"] } }),
    ];
    const kept = new Set(specs.flatMap((spec) => Object.keys(keptForLife(spec))));
    for (const key of kept) {
        const [name = "", setting] = key.split(/[.[]/);
        const { change } = LIVE_CHANGES[name as keyof typeof LIVE_CHANGES];
        const partly = setting !== undefined || name === "serviceProxy";
        expect([key, change]).toEqual([key, partly ? "partly" : "refused"]);
    }
});

test("a field's documentation is its meaning, its default and an example", () => {
    const source = `export interface OneArgs {
        /** Number of things, 1 to 3. Default: \`1\`, which is enough. Example: \`2\` */
        readonly things?: number;
        /** Who. Required. Example: \`"me"\` */
        readonly inner?: readonly TwoArgs[];
    }`;
    expect(argDocs(source).get("OneArgs")).toEqual([
        {
            name: "things",
            meaning: "Number of things, 1 to 3.",
            standard: "`1`, which is enough",
            example: "`2`",
            type: undefined,
        },
        { name: "inner", meaning: "Who.", standard: undefined, example: '`"me"`', type: "TwoArgs" },
    ]);
});
