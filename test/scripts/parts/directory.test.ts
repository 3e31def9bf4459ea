import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureParts, openParts } from "../../../scripts/parts";
import { partsPath, partsRoot } from "../../../scripts/parts/paths";
import { findDamage, PARTS_TIME } from "../../../scripts/parts/verify";
import { UserError } from "../../../scripts/support/errors";
import { CONTENTS, useTemporaryCache, writeParts } from "./support";

const cache = useTemporaryCache();
const given = (): string => join(cache.path, "given");
const silent = (): void => undefined;
const get = (progress: (line: string) => void = silent, versions = {}): ReturnType<typeof ensureParts> =>
    ensureParts({ source: "directory", directory: given(), versions }, progress);

test("parts from a directory are copied into the cache under their digest", async () => {
    const manifest = writeParts(given());
    const parts = await get();
    expect(parts.path).toBe(partsPath(parts.digest));
    expect(openParts(parts.digest).manifest).toEqual(manifest);
    for (const [path, content] of Object.entries(CONTENTS)) {
        expect(readFileSync(join(parts.path, path), "utf8")).toBe(content);
    }
    expect(statSync(join(parts.path, "bin/etcd")).mode & 0o777).toBe(0o755);
});

test("a second time nothing is copied and nothing is said", async () => {
    writeParts(given());
    const first = await get();
    rmSync(join(given(), "bin/etcd"));
    const lines: string[] = [];
    expect((await get((line) => lines.push(line))).digest).toBe(first.digest);
    expect(lines).toEqual([]);
});

test("a file of another size is refused by name and nothing is put into the cache", async () => {
    writeParts(given());
    writeFileSync(join(given(), "bin/etcd"), "short");
    await expect(get()).rejects.toThrow(/is damaged: bin\/etcd has 5 bytes instead of 16/);
    await expect(get()).rejects.toBeInstanceOf(UserError);
    expect(readdirSync(partsRoot()).filter((name) => !name.startsWith("."))).toEqual([]);
});

test("a file with one changed byte is refused by name", async () => {
    writeParts(given());
    writeFileSync(join(given(), "cni/bridge"), "the bridge plugiN");
    await expect(get()).rejects.toThrow(/is damaged: cni\/bridge has the sha256 [0-9a-f]{64} instead of [0-9a-f]{64}/);
});

test("a missing file is refused by name", async () => {
    writeParts(given());
    rmSync(join(given(), "images/pause.tar"));
    await expect(get()).rejects.toThrow("images/pause.tar is missing");
});

test("a directory without a manifest is refused", async () => {
    await expect(get()).rejects.toThrow(`${given()} has no manifest.json`);
});

test("other versions than those asked for are refused with both", async () => {
    writeParts(given());
    await expect(get(silent, { etcd: "3.6.8" })).rejects.toThrow("doesn't have etcd 3.6.8 (it has 3.7.3)");
});

test("a damaged copy in the cache is noticed, named and replaced", async () => {
    writeParts(given());
    const { digest, path } = await get();
    writeFileSync(join(path, "bin/etcd"), "the etcd prOgram");
    const lines: string[] = [];
    await get((line) => lines.push(line));
    expect(lines[0]).toMatch(/bin\/etcd has the sha256 .* getting it again/);
    expect(readFileSync(join(partsPath(digest), "bin/etcd"), "utf8")).toBe("the etcd program");
});

test("a copy whose manifest was changed isn't taken", async () => {
    writeParts(given());
    const { digest, path } = await get();
    writeFileSync(
        join(path, "manifest.json"),
        readFileSync(join(path, "manifest.json"), "utf8").replace("3.7.3", "3.7.4"),
    );
    expect(() => openParts(digest)).toThrow(`the parts ${digest} are not in`);
    await get();
    expect(openParts(digest).manifest.versions).toEqual({ etcd: "3.7.3" });
});

test("what an interrupted run left is neither taken for parts nor kept", async () => {
    const left = join(partsRoot(), ".incoming");
    writeParts(left);
    writeFileSync(join(left, "bin/stray"), "");
    writeParts(given());
    const { digest } = await get();
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(join(partsPath(digest), "bin"))).toEqual(["etcd"]);
});

test("two at once get the same parts", async () => {
    writeParts(given());
    const [one, two] = await Promise.all([get(), get()]);
    expect(one.digest).toBe(two.digest);
});

test("a check writes nothing; parts that were found whole are read once, and then known by their time", async () => {
    writeParts(given());
    const { path, manifest } = await get();
    const file = join(path, "bin/etcd");
    utimesSync(file, 1, 1);
    expect(await findDamage(path, manifest, "full")).toEqual([]);
    expect(statSync(file).mtimeMs).toBe(1000);
    await get();
    expect(statSync(file).mtimeMs).toBe(PARTS_TIME * 1000);
});
