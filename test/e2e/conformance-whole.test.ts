import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { Lab, story } from "../support/lab";

/** How many specs the pinned Kubernetes has. */
const ALL = 446;

/** Config of the clusters that all of them are tried on. */
const CLUSTERS = { kubenet: {}, cni: { network: "cni" }, "static-pods": { hosting: "static-pods" } };

interface Result {
    readonly name: string;
    readonly result: string;
    readonly reason?: string;
}

describe.each(Object.entries(CLUSTERS))("conformance with %s", (name, config) => {
    story("of all specs", () => {
        const directory = temporaryDirectory();
        let lab: Lab;

        beforeAll(() => {
            lab = new Lab(`judge-${name}`, "10.249.16.0/24");
            lab.configure(config);
            lab.up();
        }, 900_000);
        afterAll(() => {
            lab.remove();
            directory.remove();
        }, 120_000);

        it("passes every spec", () => {
            const { stdout, stderr } = lab.run("conformance", ["--nodes", "6", "--report", directory.path], 10_000);
            const results = JSON.parse(readFileSync(join(directory.path, "results.json"), "utf8")) as Result[];
            const others = results.filter(({ result }) => result !== "passed");
            expect({ others, said: others.length > 0 ? stdout + stderr : "" }).toEqual({ others: [], said: "" });
            expect(results).toHaveLength(ALL);
        }, 10_800_000);
    });
});
