import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinnedCliVersion } from "../../../scripts/engine/cli";
import { imageDigest } from "../../../scripts/machines/qemu/image-recipe";
import { rootfsDigest } from "../../../scripts/machines/rootfs-recipe";
import { partsPath } from "../../../scripts/parts/paths";
import { findUnneeded, remove } from "../../../scripts/parts/prune";
import { recipeDigest } from "../../../scripts/parts/recipe-digest";
import { pointers, rememberImported, rememberRecipe } from "../../../scripts/parts/store";
import { manifestDigest } from "../../../scripts/parts/manifest";
import { useTemporaryCache, writeParts } from "./support";

const cache = useTemporaryCache();
const within = (...names: string[]): string => join(cache.path, "cache", ...names);
const REPOSITORY = join(__dirname, "../../..");

/** Parts of an etcd, in the cache by their digest. */
function partsOf(etcd: string): string {
    const given = join(cache.path, "given");
    rmSync(given, { recursive: true, force: true });
    const manifest = writeParts(given, { etcd });
    const digest = manifestDigest(`${JSON.stringify(manifest)}`);
    cpSync(given, partsPath(digest), { recursive: true });
    if (etcd.startsWith("imported")) {
        rememberImported({ digest, path: partsPath(digest), manifest });
    }
    return digest;
}

const unneededPaths = (): string[] => findUnneeded().map(({ path }) => path);

test("parts that the recipe makes, that were imported, and that a stack is made from stay; others go", () => {
    const [current, imported, used, old] = ["1", "imported 2", "3", "4"].map(partsOf);
    rememberRecipe(recipeDigest(), current ?? "");
    rememberRecipe("0123456789abcdef", old ?? "");
    const outputs = join(REPOSITORY, ".kubelab", "prune-test");
    try {
        mkdirSync(join(outputs, "blue"), { recursive: true });
        writeFileSync(join(outputs, "blue/outputs.json"), JSON.stringify({ parts: used }));
        expect(unneededPaths()).toEqual([partsPath(old ?? "")]);
        remove(findUnneeded());
    } finally {
        rmSync(outputs, { recursive: true });
    }
    expect([current, imported, used, old].map((digest) => existsSync(partsPath(digest ?? "")))).toEqual([
        ...[true, true, true, false],
    ]);
    expect(pointers().map(({ digest }) => digest)).not.toContain(old);
    expect(pointers()).toHaveLength(2);
});

test("so do the root file systems and the Pulumi CLI of this version", () => {
    const names = [
        "0123456789abcdef",
        "0123456789abcdef-kubeadm",
        rootfsDigest(),
        `${rootfsDigest()}-more`,
        `${imageDigest()}-vm`,
    ];
    names.forEach((name) => mkdirSync(within("rootfs", name), { recursive: true }));
    mkdirSync(within("rootfs/.building-x"));
    ["0.1.0", pinnedCliVersion()].forEach((name) => mkdirSync(within("pulumi", name), { recursive: true }));
    expect(unneededPaths()).toEqual([
        within("rootfs/0123456789abcdef"),
        within("rootfs/0123456789abcdef-kubeadm"),
        within("pulumi/0.1.0"),
    ]);
});

test("what is removed is counted as far as nothing else has it", () => {
    mkdirSync(within("rootfs/0123456789abcdef/usr"), { recursive: true });
    writeFileSync(within("rootfs/0123456789abcdef/usr/file"), "x".repeat(10_000));
    mkdirSync(within("rootfs/0123456789abcdef/dev"));
    symlinkSync("/proc/self/fd", within("rootfs/0123456789abcdef/dev/fd"));
    expect(findUnneeded()).toEqual([{ path: within("rootfs/0123456789abcdef"), bytes: 12_288 }]);
});
