import { join } from "node:path";
import { RECIPE_DIRECTORY } from "../recipe-digest";
import { run } from "./run";
import type { GoToolchain } from "./toolchain";

/** Where a project's go.mod and go.sum are. */
export function projectDirectory(name: string): string {
    return join(RECIPE_DIRECTORY, "go", name);
}

/** The directory of a module's source, downloaded where it isn't there. */
export async function moduleSource(go: GoToolchain, project: string, module: string): Promise<string> {
    const options = { cwd: projectDirectory(project), environment: { GOFLAGS: "-mod=readonly", GOWORK: "off" } };
    const answer = await run(go.program, ["mod", "download", "-json", module], options);
    return (JSON.parse(answer) as { readonly Dir: string }).Dir;
}
