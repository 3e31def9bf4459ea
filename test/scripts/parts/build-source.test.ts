import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureParts } from "../../../scripts/parts";
import { manifestDigest } from "../../../scripts/parts/manifest";
import { partsPath, partsRoot } from "../../../scripts/parts/paths";
import { recipeDigest } from "../../../scripts/parts/recipe-digest";
import { findByRecipe, rememberRecipe } from "../../../scripts/parts/store";
import { formatManifest } from "../../../scripts/parts/manifest";
import { readRecipe } from "../../../scripts/parts/recipe";
import { useTemporaryCache, writeParts } from "./support";

const cache = useTemporaryCache();

/** Parts in the cache as a finished build of the present recipe leaves them. */
function builtParts(): string {
    const manifest = writeParts(join(cache.path, "parts"), readRecipe().versions);
    const digest = manifestDigest(formatManifest(manifest));
    writeParts(partsPath(digest), readRecipe().versions);
    rememberRecipe(recipeDigest(), digest);
    return digest;
}

test("built parts are found by their recipe, without a word", async () => {
    const digest = builtParts();
    const lines: string[] = [];
    expect((await ensureParts({ source: "build" }, (line) => lines.push(line))).digest).toBe(digest);
    expect((await ensureParts({ source: "auto" }, (line) => lines.push(line))).digest).toBe(digest);
    expect(lines).toEqual([]);
});

test.each([
    ["truncated", (path: string) => writeFileSync(join(path, "bin/etcd"), "the"), "bin/etcd has 3 bytes instead of 16"],
    [
        "changed without a change of its size",
        (path: string) => writeFileSync(join(path, "cni/bridge"), "the bridge plugiN"),
        "cni/bridge has the sha256",
    ],
    [
        "without its manifest's text",
        (path: string) => writeFileSync(join(path, "manifest.json"), "{}"),
        "has lost its manifest.json",
    ],
])("parts with a file that is %s aren't taken", async (_, harm, message) => {
    harm(partsPath(builtParts()));
    const lines: string[] = [];
    expect(await findByRecipe(recipeDigest(), (line) => lines.push(line))).toBeUndefined();
    expect(lines.join("\n")).toContain(message);
});

test("a pointer to parts that are gone isn't followed", async () => {
    mkdirSync(partsRoot(), { recursive: true });
    rememberRecipe(recipeDigest(), "0123456789abcdef");
    expect(await findByRecipe(recipeDigest(), () => undefined)).toBeUndefined();
});

test("versions other than the pinned ones are refused before anything is built", async () => {
    await expect(
        ensureParts({ source: "build", versions: { kubernetes: "1.35.0", etcd: "3.7.3" } }, () => undefined),
    ).rejects.toThrow("not kubernetes 1.35.0 (it has 1.36.3). Take the version out of kubelab:versions");
});
