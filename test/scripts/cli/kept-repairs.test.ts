import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeptRepairs } from "../../../scripts/cli/kept-repairs";
import { Stack } from "../../../scripts/cli/stack";
import { temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

let number = 0;

/** The repairs of a new stack with this config. */
function keptRepairs(config: string): { readonly repairs: KeptRepairs; readonly stack: Stack } {
    const name = `stack-${++number}`;
    mkdirSync(directory.path, { recursive: true });
    writeFileSync(join(directory.path, "Pulumi.yaml"), "name: kubelab\nruntime: nodejs\n");
    writeFileSync(join(directory.path, `Pulumi.${name}.yaml`), `config:\n    kubelab:workers: 1\n${config}`);
    const stack = new Stack(directory.path, name);
    return { repairs: new KeptRepairs(stack), stack };
}

const repairOf = (overrides: Readonly<Record<string, string>>): unknown =>
    JSON.parse(overrides["kubelab:repair"] ?? "null");

test("nothing kept leaves the config as it is", () => {
    const { repairs } = keptRepairs("");
    expect(repairs.addTo({ "kubelab:workers": "2" })).toEqual({ "kubelab:workers": "2" });
});

test("what was repaired once is said again in every run, and the file is the owner's alone", () => {
    const { repairs, stack } = keptRepairs("");
    repairs.add(["worker-1"], "first");
    repairs.add(["host"], "second");
    for (const again of [repairs, new KeptRepairs(stack)]) {
        expect(repairOf(again.addTo({}))).toEqual({ "worker-1": "first", host: "second" });
    }
    expect((statSync(join(stack.directory, "repair.json")).mode & 0o777).toString(8)).toBe("600");
});

test("the config's own values stay, so that changing them still counts", () => {
    const { repairs } = keptRepairs("    kubelab:repair: {worker-1: mine, all: everywhere}\n");
    repairs.add(["worker-1", "cp-1"], "kept");
    expect(repairOf(repairs.addTo({}))).toEqual({ "worker-1": "mine kept", all: "everywhere", "cp-1": "kept" });
});

test("a node that went is left out, and remembered for when it comes back", () => {
    const { repairs } = keptRepairs("");
    repairs.add(["worker-1", "cp-1"], "kept");
    expect(repairOf(repairs.addTo({ "kubelab:workers": "0" }))).toEqual({ "cp-1": "kept" });
    expect(repairOf(repairs.addTo({}))).toEqual({ "worker-1": "kept", "cp-1": "kept" });
});

test("a node that there never was is left in where the config names it: the program refuses it", () => {
    const { repairs } = keptRepairs("    kubelab:repair: {worker-7: now}\n");
    repairs.add(["cp-1"], "kept");
    expect(repairOf(repairs.addTo({}))).toEqual({ "worker-7": "now", "cp-1": "kept" });
});

test("all is forgotten with the stack", () => {
    const { repairs } = keptRepairs("");
    repairs.add(["cp-1"], "kept");
    repairs.forget();
    expect(repairs.addTo({})).toEqual({});
});
