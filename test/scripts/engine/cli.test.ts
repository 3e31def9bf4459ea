import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cachedCli, findCli, pinnedCliVersion } from "../../../scripts/engine/cli";

let directory: string;
const environment = { ...process.env };
beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "cli-"));
    // The programs that are there besides have nothing to do with Pulumi, but a shell has to run.
    process.env["PATH"] = `${join(directory, "bin")}:/usr/bin:/bin`;
    process.env["KUBELAB_CACHE"] = join(directory, "cache");
});
afterEach(() => {
    process.env = { ...environment };
    rmSync(directory, { recursive: true, force: true });
});

const onPath = (): string => join(directory, "bin/pulumi");

/** A program that answers `pulumi version` in this way, and notes each time it is asked. */
function program(path: string, answer: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho asked >>"${directory}/asked"\n${answer}\n`, { mode: 0o755 });
}

async function find(): Promise<{ readonly found: unknown; readonly notes: readonly string[] }> {
    const notes: string[] = [];
    return { found: await findCli((line) => notes.push(line)), notes };
}

const pinned = pinnedCliVersion();
const cached = (): object => ({ path: cachedCli(pinned), version: pinned, origin: "in the cache" });

test("the CLI on PATH is taken where it is the pinned version or a later one", async () => {
    for (const version of [pinned, "4.0.0"]) {
        program(onPath(), `echo v${version}`);
        expect(await find()).toEqual({ found: { path: onPath(), version, origin: "on PATH" }, notes: [] });
    }
});

test.each([
    ["is older", "echo v3.99.1", `is Pulumi 3.99.1; this program needs ${pinned} or later and uses its own`],
    ["doesn't run", "exit 1", "doesn't answer `pulumi version`; this program needs"],
])("the one in the cache is taken where the one on PATH %s, which is said", async (_how, answer, said) => {
    program(onPath(), answer);
    program(cachedCli(pinned), "");
    const { found, notes } = await find();
    expect(found).toEqual(cached());
    expect(notes).toEqual([expect.stringContaining(`${onPath()} ${said}`)]);
});

test("the one in the cache is taken without a word where there is none on PATH", async () => {
    expect(await find()).toEqual({ found: undefined, notes: [] });
    program(cachedCli(pinned), "");
    expect(await find()).toEqual({ found: cached(), notes: [] });
});

test("a CLI is asked for its version once, until it changes", async () => {
    const asked = (): number => readFileSync(join(directory, "asked"), "utf8").trim().split("\n").length;
    program(onPath(), `echo v${pinned}`);
    await find();
    await find();
    expect(asked()).toBe(1);
    program(onPath(), "echo v3.999.0");
    expect((await find()).found).toMatchObject({ version: "3.999.0" });
    expect(asked()).toBe(2);
});
