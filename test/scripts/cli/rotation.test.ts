import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { phasesLeft, renderPhasesLeft } from "../../../scripts/cli/rotation/phases";
import { Stack } from "../../../scripts/cli/stack";
import { setInStackFile } from "../../../scripts/cli/stack-file";
import { temporaryDirectory } from "../../support/bash";

describe("the phases that are left", () => {
    const numbers = (given?: readonly number[]): (readonly number[])[] => phasesLeft(given).map((each) => each.numbers);

    test("begin with the next number, and go on where they were", () => {
        expect(numbers()).toEqual([[1, 2], [2, 1], [2]]);
        expect(numbers([4])).toEqual([[4, 5], [5, 4], [5]]);
        expect(numbers([1, 2])).toEqual([[1, 2], [2, 1], [2]]);
        expect(numbers([2, 1])).toEqual([[2, 1], [2]]);
    });

    test("say what pods have to do with them", () => {
        const lines = renderPhasesLeft("kubernetes-ca", phasesLeft([1])).split("\n");
        expect(lines.map((line) => line.trim().split(/[ :]/)[0])).toEqual([
            "trust-both",
            "pods",
            "reissue",
            "trust-new",
        ]);
        expect(renderPhasesLeft("etcd-ca", phasesLeft([1]))).not.toContain("pods");
    });
});

describe("a setting of the stack's file", () => {
    const set = (text: string): string => {
        const directory = temporaryDirectory();
        const file = join(directory.path, "Pulumi.lab.yaml");
        mkdirSync(join(directory.path, "node_modules"));
        writeFileSync(join(directory.path, "Pulumi.yaml"), "name: kubelab\nruntime: nodejs\n");
        writeFileSync(join(directory.path, "package.json"), "{}");
        writeFileSync(file, text);
        setInStackFile(new Stack(directory.path, "lab"), "authorities", "etcd-ca", [1, 2]);
        const written = readFileSync(file, "utf8");
        directory.remove();
        return written;
    };

    test("is set, and the rest stays as it is", () => {
        expect(set("# mine\nconfig:\n    kubelab:workers: 1 # one\n")).toBe(
            "# mine\nconfig:\n    kubelab:workers: 1 # one\n    kubelab:authorities:\n        etcd-ca: [ 1, 2 ]\n",
        );
        expect(set('config:\n    kubelab:authorities: {"etcd-ca": [1], "kubernetes-ca": [2]}\n')).toContain(
            '"etcd-ca": [ 1, 2 ], "kubernetes-ca": [ 2 ]',
        );
    });

    test("joins those that are there as a text, and comes into an empty file", () => {
        expect(set(`config:\n    kubelab:authorities: '{"kubernetes-ca":[2]}'\n`)).toContain("kubernetes-ca:");
        expect(set("")).toContain("kubelab:authorities:");
    });
});
