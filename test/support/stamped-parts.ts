import { readRecipe } from "../../scripts/parts/recipe";
import { buildProject } from "../../scripts/parts/build/go-project";
import { Counter } from "../../scripts/parts/build/counter";
import { allModules, neededGo } from "../../scripts/parts/build/go-module";
import { findGo } from "../../scripts/parts/build/toolchain";
import { ensureParts, type PartsDirectory } from "../../scripts/parts";
import { withLock } from "../../scripts/parts/lock";
import { partsRoot } from "../../scripts/parts/paths";
import { commitParts, linkFile, newIncoming } from "../../scripts/parts/store";
import { join } from "node:path";

/**
 * Parts whose Kubernetes programs say that they are of another version: the same code with another stamp. What they are for is a rollout
 * that is real, with a version that isn't. They are in the cache, and are linked again only where they aren't there.
 *
 * @param version of Kubernetes, e.g. `1.36.2`.
 */
export async function stampedParts(version: string): Promise<PartsDirectory> {
    const say = (line: string): void => console.log(line);
    const parts = await ensureParts({ source: "auto" }, say);
    const recipe = readRecipe();
    const project = recipe.projects.find(({ name }) => name === "kubernetes");
    if (project === undefined) {
        throw new Error("the recipe has no kubernetes");
    }
    const pinned = recipe.versions["kubernetes"] ?? "";
    const variables = Object.fromEntries(
        Object.entries(project.variables).map(([name, value]) => [name, value === `v${pinned}` ? `v${version}` : value]),
    );
    const programs = Object.fromEntries(Object.entries(project.programs).filter(([path]) => path.startsWith("bin/")));
    const go = await findGo(neededGo(allModules()), say);
    const counter = new Counter(Object.keys(programs).length, say);
    const stamped = { ...project, name: `kubernetes-${version}`, modules: "kubernetes", variables, programs };
    return withLock(join(partsRoot(), ".lock"), say, async () => {
        const output = await buildProject(stamped, go, counter);
        const own = new Map(output.files.map((file) => [file.path, file]));
        const incoming = newIncoming();
        const files = parts.manifest.files.map((file) => {
            const other = own.get(file.path);
            return other === undefined
                ? linkFile(parts.path, file, incoming)
                : linkFile(output.directory, other, incoming);
        });
        const versions = { ...parts.manifest.versions, kubernetes: version };
        return commitParts(incoming, { ...parts.manifest, versions, files });
    });
}
