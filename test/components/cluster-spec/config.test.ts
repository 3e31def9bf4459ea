import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import { readConfig } from "../../../components/cluster-spec";
import { readPinnedVersions } from "../../../components/cluster-spec/versions";
import { PINNED } from "./support";

test("the config of the stack is every kubelab key, unknown ones too, and no other's", () => {
    setAllConfig({
        "kubelab:workers": "3",
        "kubelab:local": '{"registryPort":5001}',
        "kubelab:workres": "4",
        "aws:region": "eu-central-1",
        "pulumi:tags": "{}",
    });
    expect(readConfig()).toEqual({
        raw: { workers: "3", local: '{"registryPort":5001}', workres: "4" },
        unknownKeys: ["workres"],
        secretKeys: [],
    });
});

test("the password for sudo may come by the environment, where the config has none", () => {
    process.env["KUBELAB_SUDO_PASSWORD"] = "correct horse";
    try {
        const hosts = { "kubelab:provider": "hosts" };
        setAllConfig(hosts);
        expect(readConfig().raw).toEqual({ provider: "hosts", sudoPassword: "correct horse" });
        setAllConfig({ ...hosts, "kubelab:sudoPassword": "" });
        expect(readConfig().raw).toEqual({ provider: "hosts", sudoPassword: "correct horse" });
        setAllConfig({ ...hosts, "kubelab:sudoPassword": "battery" });
        expect(readConfig().raw).toEqual({ provider: "hosts", sudoPassword: "battery" });
        setAllConfig({});
        expect(readConfig().raw).toEqual({});
    } finally {
        delete process.env["KUBELAB_SUDO_PASSWORD"];
    }
});

describe("the pinned versions", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "versions-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    function write(versions: Readonly<Record<string, unknown>>): string {
        const file = join(directory, "parts.yaml");
        writeFileSync(file, JSON.stringify({ versions, projects: {} }));
        return file;
    }

    test("are the versions map of the parts file", () => {
        expect(readPinnedVersions(write({ ...PINNED, agnhost: "2.53" }))).toEqual(PINNED);
    });

    test("can be read from this repository's own parts file", () => {
        expect(Object.keys(readPinnedVersions())).toEqual(Object.keys(PINNED));
    });

    test("must be there for every part, as texts", () => {
        expect(() => readPinnedVersions(write({ ...PINNED, pause: 3.1 }))).toThrow("versions.pause");
    });
});
