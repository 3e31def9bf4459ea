import { imageInputs } from "../../../scripts/parts/build/image-inputs";
import { readRecipe, type Recipe } from "../../../scripts/parts/recipe";

const recipe = readRecipe();
const file = (path: string, sha256: string) => ({ path, sha256, size: 1, mode: "0755" });
const output = (...files: ReturnType<typeof file>[]) => ({ directory: "/nowhere", files });

/** Digests of what an image's bytes depend on, where programs have these digests. */
function inputsOf(name: string, changed: Partial<Recipe> = {}, sums: Readonly<Record<string, string>> = {}): string {
    const now = { ...recipe, ...changed };
    const image = now.images.find((each) => each.file === `${name}.tar`);
    if (image === undefined) {
        throw new Error(`there is no image ${name}`);
    }
    const programs = recipe.projects.map(({ programs: made }) =>
        output(...Object.keys(made).map((path) => file(path, sums[path] ?? path))),
    );
    const packages = (layer: string) => {
        const deb = layer === "kube-router" ? "ipset.deb" : "curl.deb";
        return output(file(deb, sums[deb] ?? deb));
    };
    const sources = { programs, pause: output(file("pause", "pause")), packages, kubernetes: "/nowhere" };
    return JSON.stringify(imageInputs(now, image, sources));
}

test("a changed program changes the images that have it in them, and no others", () => {
    const sums = { "bin/etcd": "another" };
    expect(inputsOf("etcd", {}, sums)).not.toBe(inputsOf("etcd"));
    for (const name of ["pause", "coredns", "nginx", "kube-apiserver", "flannel"]) {
        expect(inputsOf(name, {}, sums)).toBe(inputsOf(name));
    }
});

test("a changed layer changes the images that lie on it, and no others", () => {
    const { base, curl } = recipe.layers;
    const applets = { ...recipe.layers, base: { ...base, applets: "sh" } } as Recipe["layers"];
    const tools = { ...recipe.layers, curl: { ...curl, debian: ["usr/bin/curl", "usr/bin/wget"] } } as Recipe["layers"];
    expect(inputsOf("nginx", { layers: applets })).not.toBe(inputsOf("nginx"));
    expect(inputsOf("coredns", { layers: applets })).toBe(inputsOf("coredns"));
    expect(inputsOf("curl", { layers: tools })).not.toBe(inputsOf("curl"));
    expect(inputsOf("nginx", { layers: tools })).toBe(inputsOf("nginx"));
});

test("other Debian packages change the images that have files out of them", () => {
    const sums = { "curl.deb": "another" };
    expect(inputsOf("curl", {}, sums)).not.toBe(inputsOf("curl"));
    expect(inputsOf("kube-scheduler", {}, sums)).not.toBe(inputsOf("kube-scheduler"));
    expect(inputsOf("pause", {}, sums)).toBe(inputsOf("pause"));
});

test("other packages of one layer change the image with that layer, and no others", () => {
    const sums = { "ipset.deb": "another" };
    expect(inputsOf("kube-router", {}, sums)).not.toBe(inputsOf("kube-router"));
    expect(inputsOf("flannel", {}, sums)).toBe(inputsOf("flannel"));
});

test("another image, or an image for others, changes none", () => {
    const images = recipe.images.map((image) => ({ ...image, neededBy: ["kubeadm" as const] }));
    expect(inputsOf("nginx", { images })).toBe(inputsOf("nginx"));
});
