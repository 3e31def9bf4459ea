import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartsDirectory } from "../../scripts/parts";
import { Counter } from "../../scripts/parts/build/counter";
import { allModules, neededGo, projectDirectory } from "../../scripts/parts/build/go-module";
import { buildProject } from "../../scripts/parts/build/go-project";
import { run } from "../../scripts/parts/build/run";
import type { StepOutput } from "../../scripts/parts/build/step";
import { findGo, type GoToolchain } from "../../scripts/parts/build/toolchain";
import { buildRoot } from "../../scripts/parts/paths";
import { type GoProject, readRecipe } from "../../scripts/parts/recipe";
import { RECIPE_DIRECTORY } from "../../scripts/parts/recipe-digest";
import { linkFile } from "../../scripts/parts/store";
import { otherParts } from "./other-parts";

const quiet = (): void => undefined;

/** Of which other versions are built: their programs alone, not those in images. */
type Built = "kubernetes" | "etcd" | "containerd";

/**
 * The usual parts, with programs of other versions in place of some, built from their modules as the pinned ones are. They stay in the
 * cache, and take minutes where they aren't there.
 */
export async function builtParts(versions: Partial<Readonly<Record<Built, string>>>): Promise<PartsDirectory> {
    const go = await findGo(neededGo(allModules()), quiet);
    const outputs: StepOutput[] = [];
    for (const [name, version] of Object.entries(versions)) {
        outputs.push(await build(name as Built, version, go));
    }
    const others = new Map(
        outputs.flatMap(({ directory, files }) => files.map((file) => [file.path, { directory, file }])),
    );
    return otherParts(versions, (file, _, incoming) => {
        const other = others.get(file.path);
        return Promise.resolve(other === undefined ? undefined : linkFile(other.directory, other.file, incoming));
    });
}

/** The path of kubectl of another version, built as `builtParts` builds. */
export async function builtKubectl(version: string): Promise<string> {
    const path = "bin/kubectl";
    const go = await findGo(neededGo(allModules()), quiet);
    const { directory } = await build("kubernetes", version, go, (each) => each === path);
    return join(directory, path);
}

/** @param wanted which programs: all of the project's by default. */
async function build(
    name: Built,
    version: string,
    go: GoToolchain,
    wanted?: (path: string) => boolean,
): Promise<StepOutput> {
    const pinned = readRecipe().versions[name] ?? "";
    const directory = join(buildRoot(), `modules-${name}-${version}`);
    rmSync(directory, { recursive: true, force: true });
    cpSync(projectDirectory({ name }), directory, { recursive: true });
    for (const file of ["go.mod", "go.sum"]) {
        const text = readFileSync(join(directory, file), "utf8");
        writeFileSync(join(directory, file), file === "go.mod" ? atVersion(name, text, pinned, version) : text);
    }
    // Of its own: GOFLAGS of whoever runs this may forbid changes of go.mod.
    await run(go.program, ["mod", "tidy"], { cwd: directory, environment: { GOFLAGS: "", GOWORK: "off" } });
    const whole = { ...projectOf(name, version), name: `other-${name}-${version}` };
    const project = wanted === undefined ? whole : only(whole, wanted);
    return buildProject(project, go, new Counter(Object.keys(project.programs).length, quiet), directory);
}

/** The project with some of its programs. */
function only(project: GoProject, wanted: (path: string) => boolean): GoProject {
    const programs = Object.entries(project.programs).filter(([path]) => wanted(path));
    const names = programs.map(([path]) => path.replace("/", "-"));
    return { ...project, name: [project.name, ...names].join("-"), programs: Object.fromEntries(programs) };
}

/** The go.mod of a project for another version of its module, and of those that go with it. */
function atVersion(name: Built, text: string, pinned: string, version: string): string {
    const staging = (each: string): string => each.replace(/^1\./, "v0.");
    switch (name) {
        case "kubernetes":
            // What the other one requires decides, and not what this one did.
            return text
                .replace(/^require \([^)]*\)$/gm, "")
                .replaceAll(` ${staging(pinned)}`, ` ${staging(version)}`)
                .replace(/^tool \(/m, `require k8s.io/kubernetes v${version}\n\ntool (`);
        case "etcd":
            return text.replace(new RegExp(`^(\\s*go\\.etcd\\.io/etcd/\\S+) v${pinned}`, "gm"), `$1 v${version}`);
        case "containerd":
            return text.replace(`containerd/v2 v${pinned}`, `containerd/v2 v${version}`);
    }
}

/** The project as parts.yaml has it, with the stamps of another version. */
function projectOf(name: Built, version: string): GoProject {
    const directory = join(buildRoot(), `recipe-${name}-${version}`);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
    cpSync(join(RECIPE_DIRECTORY, "images.yaml"), join(directory, "images.yaml"));
    const text = readFileSync(join(RECIPE_DIRECTORY, "parts.yaml"), "utf8");
    writeFileSync(
        join(directory, "parts.yaml"),
        text.replace(new RegExp(`^(    ${name}): .*$`, "m"), `$1: "${version}"`),
    );
    const project = readRecipe(directory).projects.find((each) => each.name === name);
    rmSync(directory, { recursive: true });
    if (project === undefined) {
        throw new Error(`there is no project ${name}`);
    }
    const programs = Object.fromEntries(Object.entries(project.programs).filter(([path]) => path.startsWith("bin/")));
    return { ...project, programs };
}
