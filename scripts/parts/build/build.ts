import { mkdirSync } from "node:fs";
import { UserError } from "../../support/errors";
import type { Progress } from "../../support/progress";
import { buildRoot } from "../paths";
import type { Recipe } from "../recipe";
import { ARCHITECTURE } from "../recipe-digest";
import { commitParts, linkFile, newIncoming, type PartsDirectory } from "../store";
import { Counter } from "./counter";
import { downloadLayerPackages } from "./debian";
import { allModules, moduleSource, neededGo, projectDirectory } from "./go-module";
import { Estimate } from "./estimate";
import { buildProject, countPrograms, downloadModules, parallelism } from "./go-project";
import { buildImages } from "./images";
import { buildPause } from "./pause";
import { ensureBuildPackages, ensureRoom, roomForBuild } from "./prerequisites";
import { type StepOutput, wasBuilt } from "./step";
import { findGo } from "./toolchain";

/**
 * Builds all parts of a recipe into the cache. Each project and each image is a step of its own that is kept, so that
 * an interrupted build resumes, and a changed recipe or another choice of parts builds only what is new.
 *
 * @throws UserError where this machine lacks something that a build needs.
 */
export async function buildParts(recipe: Recipe, progress: Progress): Promise<PartsDirectory> {
    if (process.platform !== "linux" || process.arch !== "x64") {
        throw new UserError(
            `parts are built on linux/${ARCHITECTURE} only, and this is ${process.platform}/${process.arch}`,
        );
    }
    mkdirSync(buildRoot(), { recursive: true });
    await ensureBuildPackages(progress);
    const go = await findGo(neededGo(allModules()), progress);
    const unknown = recipe.projects.filter(({ name }) => !wasBuilt(`go-${name}`));
    const cpuSeconds = unknown.reduce((sum, project) => sum + project.cpuSeconds, 0);
    ensureRoom([buildRoot(), ...go.caches], "the build of the parts", roomForBuild(cpuSeconds));
    const programCount = recipe.projects.reduce((sum, project) => sum + countPrograms(project), 0);
    const costs = Object.fromEntries(recipe.projects.map(({ name, cpuSeconds }) => [name, cpuSeconds]));
    const estimate = new Estimate(costs, parallelism());
    const counter = new Counter(programCount + recipe.images.length + 2, progress, estimate);
    progress(`building with ${go.version} in ${buildRoot()}`);

    // Downloads come while the processors are busy with something else: packages of the images, modules of the next project.
    const packages = downloadLayerPackages(recipe);
    packages.then(
        () => counter.done("Debian packages for the images"),
        () => undefined,
    );
    const programs: StepOutput[] = [];
    for (const [index, project] of recipe.projects.entries()) {
        const next = recipe.projects[index + 1];
        const downloaded = next !== undefined && unknown.includes(next) ? downloadModules(next, go) : undefined;
        programs.push(await buildProject(project, go, counter));
        await downloaded;
    }
    const kubernetes = await moduleSource(go, projectDirectory({ name: "kubernetes" }), "k8s.io/kubernetes");
    const pause = await buildPause(recipe.versions.pause ?? "", kubernetes);
    counter.done("image/pause");
    const images = await buildImages(recipe, { programs, pause, packages: await packages, kubernetes }, counter);

    const incoming = newIncoming();
    const files = [...programs, ...images].flatMap((output) =>
        output.files
            .filter(({ path }) => /^(bin|cni|images)\//.test(path))
            .map((file) => linkFile(output.directory, file, incoming)),
    );
    return commitParts(incoming, {
        version: 1,
        architecture: ARCHITECTURE,
        versions: recipe.versions,
        files,
        images: images.map(({ image }) => image),
    });
}
