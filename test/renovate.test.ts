import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readRecipe } from "../scripts/parts/recipe";

const REPOSITORY = join(__dirname, "..");
const read = (file: string): string => readFileSync(join(REPOSITORY, file), "utf8");

interface CustomManager {
    readonly managerFilePatterns: readonly string[];
    readonly matchStrings: readonly string[];
    readonly depNameTemplate?: string;
    readonly packageNameTemplate?: string;
    readonly extractVersionTemplate?: string;
}

interface PackageRule {
    readonly groupName?: string;
    readonly matchFileNames?: readonly string[];
    readonly matchDepNames?: readonly string[];
    readonly matchDepTypes?: readonly string[];
    readonly matchPackageNames?: readonly string[];
}

const { customManagers, packageRules } = JSON.parse(read("renovate.json")) as {
    readonly customManagers: readonly CustomManager[];
    readonly packageRules: readonly PackageRule[];
};

const YAML_FILES = readdirSync(join(REPOSITORY, "scripts/parts"))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `scripts/parts/${name}`);

/** What a manager finds, as Renovate looks: `/…/` is a regular expression on the path, each match string one on the content. */
function found(manager: CustomManager): { readonly name: string; readonly version: string }[] {
    const patterns = manager.managerFilePatterns.map((pattern) => new RegExp(pattern.replace(/^\/|\/$/g, "")));
    return YAML_FILES.filter((file) => patterns.some((pattern) => pattern.test(file))).flatMap((file) =>
        manager.matchStrings
            .flatMap((text) => [...read(file).matchAll(new RegExp(text, "g"))])
            .map(({ groups = {} }) => ({
                name: groups["depName"] ?? manager.depNameTemplate ?? "",
                version: groups["currentValue"] ?? "",
            })),
    );
}

const recipe = readRecipe();
const goModOf = ({ name, modules = name }: (typeof recipe.projects)[number]): string =>
    `scripts/parts/go/${modules}/go.mod`;
const ofParts = customManagers.filter(({ depNameTemplate }) => depNameTemplate !== undefined);

test("Renovate finds every version of parts.yaml once", () => {
    const versions = ofParts.flatMap(found).map(({ name, version }) => [name, version]);
    expect(versions).toEqual(Object.entries(recipe.versions));
});

test("it looks for a part's versions where its Go module is", () => {
    for (const { module, version } of recipe.projects) {
        const manager = ofParts.find(({ depNameTemplate }) => depNameTemplate === version);
        expect([version, manager?.packageNameTemplate]).toEqual([version, module]);
        expect(new RegExp(manager?.extractVersionTemplate ?? "").exec("v1.2.3")?.groups?.["version"]).toBe("1.2.3");
    }
});

test("it finds the images whose tag is their own, and no other", () => {
    const images = customManagers.filter((manager) => !ofParts.includes(manager)).flatMap(found);
    const own = [...read("scripts/parts/images.yaml").matchAll(/name: (\S+):(\S+)/g)]
        .map(([, name, version]) => ({ name, version }))
        .filter(({ version = "" }) => !version.includes("{") && version !== "latest");
    expect(images).toEqual(own);
    expect(images.map(({ name }) => name)).toContain("registry.k8s.io/e2e-test-images/agnhost");
});

test("a part's version and its go.mod are in one group, and so in one branch", () => {
    const groupOf = (matches: (rule: PackageRule) => boolean | undefined): string | undefined =>
        packageRules.filter(matches).at(-1)?.groupName;
    for (const project of recipe.projects) {
        const { name, version } = project;
        const file = goModOf(project);
        const ofModule = groupOf(({ matchFileNames }) => matchFileNames?.includes(file));
        expect([name, ofModule]).toEqual([name, expect.any(String)]);
        expect(groupOf(({ matchDepNames }) => matchDepNames?.includes(version))).toBe(ofModule);
    }
});

test("modules that are parts are bumped though go.mod calls them indirect", () => {
    const enabled = packageRules.find(({ matchDepTypes }) => matchDepTypes?.includes("indirect"))?.matchPackageNames;
    const indirect = recipe.projects.filter((project) =>
        new RegExp(`^\\s+${project.module} \\S+ // indirect$`, "m").test(read(goModOf(project))),
    );
    expect(indirect.length).toBeGreaterThan(4);
    expect(indirect.filter(({ module }) => !enabled?.includes(module))).toEqual([]);
});

test("the files that its rules name are there", () => {
    const known = new Set(recipe.projects.map(goModOf));
    const named = packageRules.flatMap(({ matchFileNames = [] }) => matchFileNames);
    expect(named.length).toBeGreaterThan(10);
    expect([...known].filter((file) => !named.includes(file))).toEqual([]);
    expect(named.filter((file) => !existsSync(join(REPOSITORY, file)))).toEqual([]);
});
