import { spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    truncateSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureParts, exportParts, importParts, openParts } from "../../../scripts/parts";
import { partsPath, partsRoot } from "../../../scripts/parts/paths";
import { pinnedVersions } from "../../../scripts/parts/versions";
import { UserError } from "../../../scripts/support/errors";
import { CONTENTS, useTemporaryCache, writeParts } from "./support";

const cache = useTemporaryCache();
const silent = (): void => undefined;
const archive = (): string => join(cache.path, "parts: of today.tar");

/** Parts that were exported, on a machine that doesn't have them. */
async function exported(): Promise<string> {
    writeParts(join(cache.path, "given"), pinnedVersions());
    const parts = await ensureParts({ source: "directory", directory: join(cache.path, "given") }, silent);
    await exportParts(parts, archive(), silent);
    rmSync(partsRoot(), { recursive: true });
    return parts.digest;
}

function expectNothingVisible(): void {
    const names = existsSync(partsRoot()) ? readdirSync(partsRoot()) : [];
    expect(names.filter((name) => name !== ".lock")).toEqual([]);
}

/** Changes bytes of the archive, not its length. */
function overwrite(from: string, to: string): void {
    const content = readFileSync(archive());
    const at = content.lastIndexOf(from);
    expect(at).toBeGreaterThan(0);
    content.write(to, at);
    writeFileSync(archive(), content);
}

test("exported parts are the same after the import, and the source auto takes them", async () => {
    const digest = await exported();
    const parts = await importParts(archive(), silent);
    expect(parts.digest).toBe(digest);
    for (const [path, content] of Object.entries(CONTENTS)) {
        expect(readFileSync(join(partsPath(digest), path), "utf8")).toBe(content);
    }
    const lines: string[] = [];
    expect((await ensureParts({ source: "auto" }, (line) => lines.push(line))).digest).toBe(digest);
    expect(lines).toEqual([]);
});

test("the same parts give the same archive, and an import of what is there changes nothing", async () => {
    await exported();
    const first = readFileSync(archive());
    const parts = await importParts(archive(), silent);
    rmSync(archive());
    await exportParts(parts, archive(), silent);
    expect(readFileSync(archive()).equals(first)).toBe(true);
    const lines: string[] = [];
    await importParts(archive(), (line) => lines.push(line));
    expect(lines).toEqual([]);
});

test("an unpacked archive serves as a directory of parts", async () => {
    const digest = await exported();
    const unpacked = join(cache.path, "unpacked");
    mkdirSync(unpacked);
    spawnSync("tar", ["--force-local", "-xf", archive(), "-C", unpacked]);
    const parts = await ensureParts({ source: "directory", directory: join(unpacked, digest) }, silent);
    expect(parts.digest).toBe(digest);
});

test("a changed byte is refused by file", async () => {
    await exported();
    overwrite("the bridge plugin", "the bridge plugiN");
    const refused = importParts(archive(), silent);
    await expect(refused).rejects.toThrow(/today\.tar is damaged: cni\/bridge has the sha256 .*\. Copy it again$/);
    await expect(refused).rejects.toBeInstanceOf(UserError);
    expectNothingVisible();
});

test("an archive that was cut off is refused by file", async () => {
    await exported();
    const at = readFileSync(archive()).lastIndexOf("the bridge plugin");
    truncateSync(archive(), at + 4);
    await expect(importParts(archive(), silent)).rejects.toThrow(
        /is damaged: cni\/bridge (has \d+ bytes instead of 17|is missing); images\/pause\.tar is missing/,
    );
    expectNothingVisible();
});

test("a changed manifest is refused, whatever was changed in it", async () => {
    await exported();
    overwrite("registry.k8s.io/pause", "registry.k9s.io/pause");
    await expect(importParts(archive(), silent)).rejects.toThrow("is damaged: manifest.json isn't the one of");
    expectNothingVisible();
});

test("a link in place of a file isn't followed", async () => {
    const digest = await exported();
    const tree = join(cache.path, "tree");
    mkdirSync(tree);
    spawnSync("tar", ["--force-local", "-xf", archive(), "-C", tree]);
    rmSync(join(tree, digest, "bin/etcd"));
    writeFileSync(join(cache.path, "outside"), "the etcd program");
    symlinkSync(join(cache.path, "outside"), join(tree, digest, "bin/etcd"));
    spawnSync("tar", ["--force-local", "-cf", archive(), "-C", tree, digest]);
    await expect(importParts(archive(), silent)).rejects.toThrow("bin/etcd isn't a plain file");
    expectNothingVisible();
});

test.each([
    ["no archive", "this is no archive"],
    ["empty", ""],
])("a file that is %s is refused", async (_, content) => {
    writeFileSync(archive(), content);
    await expect(importParts(archive(), silent)).rejects.toThrow("has no manifest.json that can be read");
});

test("a missing file is refused", async () => {
    await expect(importParts(archive(), silent)).rejects.toThrow(
        "is no file: give one that 'scripts/lab parts export'",
    );
});

test("damaged parts aren't exported, and a file that is there isn't overwritten", async () => {
    const digest = await exported();
    await importParts(archive(), silent);
    await expect(exportParts(openParts(digest), archive(), silent)).rejects.toThrow("is there already");
    writeFileSync(join(partsPath(digest), "bin/etcd"), "the etcd prOgram");
    const other = join(cache.path, "other.tar");
    await expect(exportParts(openParts(digest), other, silent)).rejects.toThrow("is damaged: bin/etcd has the sha256");
    expect(existsSync(other)).toBe(false);
});
