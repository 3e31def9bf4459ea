import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { registerProvider } from "../../../scripts/offline-engine/provider";
import { UserError } from "../../../scripts/support/errors";
import { PROJECT, Sample } from "./support";

let sample: Sample;
beforeEach(() => (sample = new Sample()));
afterEach(() => sample.remove());

const before = (lines: readonly string[], first: string, second: string): boolean =>
    lines.indexOf(first) >= 0 && lines.indexOf(first) < lines.indexOf(second);

test("creates what depends on nothing first, and gives outputs on to what depends on them", async () => {
    const summary = await sample
        .engine(() => {
            const first = sample.command("first");
            const second = sample.command("second", { value: first.stdout });
            return { said: second.stdout };
        })
        .up();
    expect(sample.ran()).toEqual(["run first", "run second first"]);
    expect(summary).toMatchObject({ created: 3, updated: 0, replaced: 0, deleted: 0, same: 0 });
    expect(await sample.engine(() => ({})).outputs({ showSecrets: false })).toEqual({ said: "second" });
});

test("a second up without changes runs nothing", async () => {
    const engine = sample.engine(() => void sample.command("only", { value: "same" }));
    await engine.up();
    sample.ran();
    expect(await engine.up()).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0, same: 2 });
    expect(sample.ran()).toEqual([]);
});

test("a changed input updates that resource alone, and what reads its changed output", async () => {
    const program = (value: string) => () => {
        const source = new local.Command("source", { create: "cat", stdin: value });
        sample.command("reader", { value: source.stdout });
        sample.command("bystander");
    };
    await sample.engine(program("one")).up();
    sample.ran();
    expect(await sample.engine(program("two")).up()).toMatchObject({ updated: 2, same: 2 });
    expect(sample.ran()).toEqual(["run reader two"]);
    expect(sample.events.find(({ kind, operation }) => kind === "done" && operation === "update")?.diffKeys).toEqual([
        "stdin",
    ]);
});

test("changed triggers create the new one before the old one is deleted", async () => {
    const program = (trigger: string) => () => void sample.command("it", { value: trigger, triggers: [trigger] });
    await sample.engine(program("old")).up();
    sample.ran();
    expect(await sample.engine(program("new")).up()).toMatchObject({ replaced: 1, created: 0, deleted: 0 });
    expect(sample.ran()).toEqual(["run it new", "delete it old"]);
});

test("deleteBeforeReplace deletes the old one first, and before it what would be replaced with it", async () => {
    const program = (trigger: string) => () => {
        const machine = sample.command(
            "machine",
            { value: trigger, triggers: [trigger] },
            { deleteBeforeReplace: true },
        );
        sample.command("step", { value: "x", triggers: [machine.id] }, { deleteBeforeReplace: true });
        sample.command("after", { value: "x" }, { dependsOn: machine });
    };
    await sample.engine(program("old")).up();
    sample.ran();
    expect(await sample.engine(program("new")).up()).toMatchObject({ replaced: 2, same: 2 });
    expect(sample.ran()).toEqual(["delete step x", "delete machine old", "run machine new", "run step x"]);
});

test("what the program no longer has is deleted at the end, dependents first", async () => {
    await sample
        .engine(() => {
            const base = sample.command("base");
            const middle = sample.command("middle", {}, { dependsOn: base });
            sample.command("top", {}, { dependsOn: middle });
        })
        .up();
    sample.ran();
    await sample.engine(() => void sample.command("base")).up();
    expect(sample.ran()).toEqual(["delete top", "delete middle"]);
});

test("destroy deletes dependents first and children before their component, independent ones at once", async () => {
    const engine = sample.engine(() => {
        const base = sample.command("base");
        const component = new pulumi.ComponentResource("sample:index:Part", "part", {}, { dependsOn: base });
        sample.command("left", {}, { parent: component, dependsOn: base });
        sample.command("right", {}, { parent: component, dependsOn: base });
    });
    await engine.up();
    sample.ran();
    expect(await engine.destroy()).toMatchObject({ deleted: 5 });
    const ran = sample.ran();
    expect([...ran].sort()).toEqual(["delete base", "delete left", "delete right"]);
    expect(ran[2]).toBe("delete base");
    expect(await engine.exists()).toBe(false);
});

test("what is deletedWith another, also by its parent, goes without its delete command when that one goes", async () => {
    const engine = sample.engine(() => {
        const machine = sample.command("machine");
        const node = new pulumi.ComponentResource("sample:index:Node", "node", {}, { deletedWith: machine });
        sample.command("service", {}, { parent: node });
        sample.command("drain", {}, { dependsOn: machine });
    });
    await engine.up();
    sample.ran();
    await engine.destroy();
    const ran = sample.ran();
    expect(ran).toHaveLength(2);
    expect(before(ran, "delete drain", "delete machine")).toBe(true);
    expect(sample.events.find(({ kind }) => kind === "skipped")?.message).toBe("goes with machine");
});

test("a deletedWith resource that goes alone is deleted by its command", async () => {
    const program = (both: boolean) => () => {
        const machine = sample.command("machine");
        if (both) {
            sample.command("service", {}, { deletedWith: machine });
        }
    };
    await sample.engine(program(true)).up();
    sample.ran();
    await sample.engine(program(false)).up();
    expect(sample.ran()).toEqual(["delete service"]);
});

test("a failure names the resource and its last lines, lets what runs end, begins nothing new, and keeps what was done", async () => {
    const program = (code: number) => () => {
        const good = sample.command("good");
        const slow = new local.Command("slow", { create: `sleep 0.3; echo slow >> ${sample.log}` });
        const bad = new local.Command(
            "bad",
            { create: `echo what went wrong >&2; exit ${code}`, stdin: pulumi.secret("not to be shown") },
            { dependsOn: good },
        );
        sample.command("after-bad", {}, { dependsOn: bad });
        sample.command("after-slow", {}, { dependsOn: slow });
    };
    const failed = await sample
        .engine(program(3))
        .up()
        .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(UserError);
    const { message } = failed as Error;
    expect(message).toMatch(/^bad \(command:local:Command\): exit status 3: running .*what went wrong/s);
    expect(message).not.toContain("not to be shown");
    expect(sample.ran()).toEqual(["run good", "slow"]);

    expect(await sample.engine(program(0)).up()).toMatchObject({ created: 3, same: 3 });
    expect(sample.ran()).toEqual(expect.arrayContaining(["run after-bad", "run after-slow"]));
});

test("a failed creation of a replacement leaves the old one in place", async () => {
    const program = (trigger: string, code: number) => () =>
        void new local.Command("it", {
            create: `exit ${code}`,
            delete: `echo gone >> ${sample.log}`,
            triggers: [trigger],
        });
    await sample.engine(program("a", 0)).up();
    await expect(sample.engine(program("b", 1)).up()).rejects.toThrow("exit status 1");
    expect(await sample.engine(program("a", 0)).up()).toMatchObject({ same: 2 });
    expect(sample.ran()).toEqual([]);
});

test("an error of the program is thrown as it is, and nothing is deleted", async () => {
    await sample.engine(() => void sample.command("kept")).up();
    sample.ran();
    const mistake = new UserError("podCidr overlaps serviceCidr");
    const broken = sample.engine(() => {
        throw mistake;
    });
    await expect(broken.up()).rejects.toBe(mistake);
    expect(sample.ran()).toEqual([]);
});

test("preview says what would be done, with unknown outputs, and does nothing", async () => {
    const program = (value: string) => () => {
        const machine = sample.command("machine", { value, triggers: [value] });
        const step = sample.command("step", { value: machine.stdout });
        sample.command("bystander");
        return { said: step.stdout };
    };
    const first = await sample.engine(program("a")).preview();
    expect(first).toMatchObject({ created: 4 });
    expect(await sample.engine(program("a")).exists()).toBe(false);
    await sample.engine(program("a")).up();
    sample.ran();
    expect(await sample.engine(program("a")).preview()).toMatchObject({ same: 4 });
    expect(await sample.engine(program("b")).preview()).toMatchObject({ replaced: 1, updated: 1, same: 2 });
    expect(await sample.engine(() => ({})).preview()).toMatchObject({ deleted: 3 });
    expect(sample.ran()).toEqual([]);
});

test("ignoreChanges, protect and retainOnDelete are kept to", async () => {
    const program = (value: string, options: pulumi.CustomResourceOptions) => () =>
        void sample.command("it", { value }, options);
    await sample.engine(program("one", { protect: true })).up();
    expect(await sample.engine(program("two", { ignoreChanges: ["stdin"], protect: true })).up()).toMatchObject({
        same: 2,
    });
    await expect(sample.engine(() => ({})).up()).rejects.toThrow(/it .*protected/);
    await sample.engine(program("one", { retainOnDelete: true })).up();
    sample.ran();
    await sample.engine(() => ({})).up();
    expect(sample.ran()).toEqual([]);
    expect(await sample.engine(() => ({})).exists()).toBe(true);
});

test("an operation that takes longer than its custom timeout is ended", async () => {
    const engine = sample.engine(
        () => void new local.Command("slow", { create: "sleep 20" }, { customTimeouts: { create: "0.2s" } }),
    );
    await expect(engine.up()).rejects.toThrow(/slow .*its time was over/);
});

test("config reaches the program", async () => {
    await sample.engine(() => ({ size: new pulumi.Config(PROJECT).requireNumber("size") })).up();
    expect(await sample.engine(() => ({})).outputs({ showSecrets: false })).toEqual({ size: 3 });
});

test("a type that nobody provides is refused with what the engine can do; a registered provider does it", async () => {
    class Bucket extends pulumi.CustomResource {
        declare readonly size: pulumi.Output<number>;
        constructor(name: string) {
            super("cloud:index:Bucket", name, { size: undefined });
        }
    }
    const engine = sample.engine(() => ({ size: new Bucket("b").size }));
    await expect(engine.up()).rejects.toThrow(/can't do cloud:index:Bucket: it knows .*command:local:Command\*/);
    registerProvider("cloud:", { create: () => Promise.resolve({ id: "b-1", outputs: { size: 7 } }) });
    await engine.up();
    expect(await engine.outputs({ showSecrets: false })).toEqual({ size: 7 });
});

test("two resources with one URN are refused", async () => {
    const engine = sample.engine(() => {
        sample.command("twin");
        sample.command("twin");
    });
    await expect(engine.up()).rejects.toThrow(/two resources have the URN .*twin/);
});
