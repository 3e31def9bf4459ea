import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultStack, Stack } from "../../../scripts/cli/stack";
import { temporaryDirectory } from "../../support/bash";

const clone = temporaryDirectory();
afterAll(clone.remove);
const KEPT = process.env["KUBELAB_STACK"];
beforeAll(() => {
    for (const name of ["kubenet", "cni"]) {
        writeFileSync(join(clone.path, `Pulumi.${name}.yaml`), "config: {}\n");
    }
});
afterEach(() => {
    delete process.env["KUBELAB_STACK"];
    if (KEPT !== undefined) {
        process.env["KUBELAB_STACK"] = KEPT;
    }
});

test("a stack that doesn't exist is said not to, with those that do; one that isn't up is told how to get there", () => {
    delete process.env["KUBELAB_STACK"];
    expect(() => new Stack(clone.path, "missing").outputs()).toThrow(
        /no stack "missing"\. Stacks here: (kubenet, cni|cni, kubenet)\./,
    );
    expect(() => new Stack(clone.path, "missing").node("cp-1")).toThrow(/no stack "missing"/);
    expect(() => new Stack(clone.path, "cni").outputs()).toThrow(
        `The stack "cni" isn't up: run 'scripts/lab up --stack cni' first.`,
    );
});

test("a stack that is up is looked into though its file is gone", () => {
    mkdirSync(join(clone.path, ".kubelab/gone"), { recursive: true });
    writeFileSync(join(clone.path, ".kubelab/gone/outputs.json"), '{"nodes":[]}');
    expect(new Stack(clone.path, "gone").outputs()).toEqual({ nodes: [] });
});

test.each([
    [undefined, "kubenet", "scripts/lab ssh worker-1"],
    [undefined, "cni", "scripts/lab ssh --stack cni worker-1"],
    ["cni", "cni", "scripts/lab ssh worker-1"],
    ["cni", "kubenet", "scripts/lab ssh --stack kubenet worker-1"],
    ["", "kubenet", "scripts/lab ssh worker-1"],
])("with KUBELAB_STACK %p, a hint for the stack %s is %p", (variable, name, hint) => {
    delete process.env["KUBELAB_STACK"];
    if (variable !== undefined) {
        process.env["KUBELAB_STACK"] = variable;
    }
    expect(new Stack(clone.path, name).command("ssh", "worker-1")).toBe(hint);
    expect(defaultStack()).toBe(variable || "kubenet");
});
