import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { step, wasBuilt } from "../../../scripts/parts/build/step";
import { buildRoot } from "../../../scripts/parts/paths";
import { useTemporaryCache } from "./support";

useTemporaryCache();

/** A step that writes one program and counts how often it ran. */
function counted(): { readonly runs: () => number; readonly make: (directory: string) => Promise<void> } {
    let runs = 0;
    return {
        runs: () => runs,
        make: (directory) => {
            runs += 1;
            writeFileSync(join(directory, "program"), "whole", { mode: 0o755 });
            return Promise.resolve();
        },
    };
}

test("the same inputs are built once", async () => {
    const { make, runs } = counted();
    const first = await step("etcd", { version: "3.7.3" }, make);
    const second = await step("etcd", { version: "3.7.3" }, make);
    expect(runs()).toBe(1);
    expect([first.reused, second.reused]).toEqual([false, true]);
    expect(second.files.map(({ path, size, mode }) => [path, size, mode])).toEqual([["program", 5, "0755"]]);
});

test("other inputs are built anew and take the place of the old ones", async () => {
    const { make, runs } = counted();
    const old = await step("etcd", { version: "3.7.2" }, make);
    await step("etcd", { version: "3.7.3" }, make);
    expect(runs()).toBe(2);
    expect(existsSync(old.directory)).toBe(false);
});

test("a step leaves those of other names alone", async () => {
    const { make } = counted();
    const other = await step("etcd-tools", {}, make);
    await step("etcd", {}, make);
    expect(existsSync(other.directory)).toBe(true);
});

test("a failed step is not taken for a finished one, and the next run finds what it had finished", async () => {
    const interrupted = (directory: string): Promise<void> => {
        writeFileSync(join(directory, "first"), "finished");
        return Promise.reject(new Error("killed"));
    };
    await expect(step("etcd", {}, interrupted)).rejects.toThrow("killed");
    expect(readdirSync(buildRoot()).filter((name) => /^etcd-[0-9a-f]{16}$/.test(name))).toEqual([]);

    let found = "";
    const { reused } = await step("etcd", {}, (directory) => {
        found = readFileSync(join(directory, "first"), "utf8");
        return Promise.resolve();
    });
    expect([reused, found]).toEqual([false, "finished"]);
});

test("a finished step with a changed byte is built again", async () => {
    const { make, runs } = counted();
    const { directory } = await step("etcd", {}, make);
    writeFileSync(join(directory, "program"), "whOle");
    const again = await step("etcd", {}, make);
    expect([again.reused, runs()]).toEqual([false, 2]);
    expect(readFileSync(join(again.directory, "program"), "utf8")).toBe("whole");
});

test("a step is known to have been made, from whatever inputs, once it is finished", async () => {
    const { make } = counted();
    await step("go-kubernetes", { version: "1.36.2" }, make);
    await expect(
        step("go-etcd", {}, () => {
            throw new Error("no room");
        }),
    ).rejects.toThrow("no room");
    expect(["go-kubernetes", "go-kube", "go-etcd"].map(wasBuilt)).toEqual([true, false, false]);
});
