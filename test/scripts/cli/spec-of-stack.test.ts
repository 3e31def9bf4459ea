import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flagsForStack, specOfStack } from "../../../scripts/cli/spec-of-stack";
import { Stack } from "../../../scripts/cli/stack";
import { temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

/** A stack with this config. */
function stackWith(config: string): Stack {
    for (const file of ["Pulumi.yaml", "package.json"]) {
        cpSync(join(__dirname, "../../..", file), join(directory.path, file));
    }
    writeFileSync(join(directory.path, "Pulumi.sample.yaml"), config);
    return new Stack(directory.path, "sample");
}

test("a stack's config is read as the program reads it, the run's own over it", () => {
    const stack = stackWith("config:\n    kubelab:workers: 1\n    hosting: static-pods\n    aws:region: eu-north-1\n");
    const spec = specOfStack(stack, { "kubelab:workers": "3" });
    expect([spec?.name, spec?.workers.length, spec?.hosting]).toEqual(["sample", 3, "static-pods"]);
});

test("a mistake is told before anything is got", () => {
    const stack = stackWith("config:\n    kubelab:network: kubnet\n");
    expect(() => specOfStack(stack, {})).toThrow(/config of stack "sample" has one problem:\n.*kubnet.*kubenet/);
});

test("an encrypted value that says nothing about the software is left out", () => {
    const flags = "    kubelab:flags:\n        kube-apiserver:\n            token:\n                secure: v1:x:y\n";
    expect(specOfStack(stackWith(`config:\n${flags}    kubelab:network: bridge\n`), {})?.network).toBe("bridge");
});

test("where what is encrypted would be needed, nothing is known", () => {
    const hosts = "    kubelab:provider: hosts\n    kubelab:hosts:\n        secure: v1:x:y\n";
    expect(specOfStack(stackWith(`config:\n${hosts}`), {})).toBeUndefined();
});

test("the parts that a stack needs are asked for by options of the parts command", () => {
    const flannel = flagsForStack(stackWith("config:\n    kubelab:network: cni\n    kubelab:cniPlugin: flannel\n"));
    expect(flannel.slice(0, 2)).toEqual(["--source", "auto"]);
    expect(flannel.slice(-2)).toEqual(["--with", "flannel"]);
    expect(flannel.join(" ")).toMatch(/--set kubernetes=\d+\.\d+\.\d+ /);
    expect(flagsForStack(stackWith("config: {}\n"))).not.toContain("--with");
});
