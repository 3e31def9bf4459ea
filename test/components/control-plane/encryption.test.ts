import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { formatProblem, refuseImmutableChange, runningCluster } from "../../../components/cluster-spec";
import { encryptionConfiguration, keepUsedKeys } from "../../../components/control-plane/encryption";
import { bash, temporaryDirectory } from "../../support/bash";
import { clusterGraph, find, inputsOf, REMOTE_STEP } from "../../support/graph";
import { testSpec } from "../../support/spec";

const KEYS = [
    { name: "key-2", secret: "bmV3" },
    { name: "key-1", secret: "a2V5" },
];

test("the first key writes, all of them read, and so is what was written before there was any", () => {
    expect(parse(encryptionConfiguration(KEYS))).toEqual({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [{ resources: ["secrets"], providers: [{ secretbox: { keys: KEYS } }, { identity: {} }] }],
    });
});

describe("a key is dropped", () => {
    const directory = temporaryDirectory();
    afterAll(directory.remove);
    const file = join(directory.path, "encryption.yaml");

    /** As a step does it where etcd has these values. */
    function drop(
        values: string,
        names: readonly string[],
    ): { readonly status: number | null; readonly stdout: string } {
        writeFileSync(file, encryptionConfiguration(KEYS));
        const etcdctl = join(directory.path, "etcdctl");
        writeFileSync(join(directory.path, "values"), values);
        writeFileSync(etcdctl, `#!/bin/sh\nexec cat ${directory.path}/values\n`);
        chmodSync(etcdctl, 0o755);
        const fail = `fail() { echo "$*"; exit 1; }`;
        const script = ["set -euo pipefail", `PATH=${directory.path}:$PATH`, fail, ...keepUsedKeys(file, names)];
        const { status, stdout } = bash(script.join("\n"));
        return { status, stdout };
    }

    test("only where no Secret in etcd has it", () => {
        const values = "k8s:enc:secretbox:v1:key-2:\u0000\u0001abc\nk8s:enc:secretbox:v1:key-2:x\n";
        expect(drop(values, ["key-2"])).toEqual({ status: 0, stdout: "" });
        expect(drop(`${values}k8s:enc:secretbox:v1:key-1:y\n`, ["key-2"])).toEqual({
            status: 1,
            stdout: "Secrets in etcd are encrypted with key-1: put it back into kubelab:encryptionKeys, behind the new one, and run 'up' first\n",
        });
        expect(drop("", ["key-2"]).status).toBe(0);
    });

    test("without a look at etcd where all are kept", () => {
        expect(drop("k8s:enc:secretbox:v1:key-1:y\n", ["key-3", "key-2", "key-1"])).toEqual({ status: 0, stdout: "" });
    });

    test("by no config that lacks the one which wrote last", () => {
        const running = runningCluster(testSpec());
        const problems = (encryptionKeys: string[]) =>
            refuseImmutableChange(running, testSpec({ encryptionKeys })).map(formatProblem);
        expect(problems(["key-2", "key-1"])).toEqual([]);
        expect(problems(["key-2"])).toEqual([
            "kubelab:encryptionKeys: [\"key-2\"] lacks key-1, which the Secrets in etcd are encrypted with; add key-1 at the end; the 'up' after the next may leave it out",
        ]);
    });
});

test("Secrets are written again where there was another key, and only there", async () => {
    const names = (graph: Awaited<ReturnType<typeof clusterGraph>>) => graph.resources.map(({ name }) => name);
    const before = await clusterGraph(testSpec());
    expect(names(before).filter((name) => name.includes("encryption"))).toEqual(["secrets-encryption-key"]);
    const rotated = await clusterGraph(testSpec({ encryptionKeys: ["key-2", "key-1"] }));
    const script = inputsOf(find(rotated, REMOTE_STEP, "cp-1-secrets-encryption")).stdin;
    expect(script).toContain("k8s:enc:secretbox:v1:key-2:");
    // It doesn't run again when the former key goes.
    const dropped = await clusterGraph(testSpec({ encryptionKeys: ["key-2"] }));
    expect(inputsOf(find(dropped, REMOTE_STEP, "cp-1-secrets-encryption")).stdin).toBe(script);
    expect(names(dropped).filter((name) => name.includes("encryption-key"))).toEqual(["secrets-encryption-key-key-2"]);
}, 60_000);

test("a list with a name twice is refused", () => {
    expect(() => testSpec({ encryptionKeys: ["a", "a"] })).toThrow('has "a" twice; list each name once');
});
