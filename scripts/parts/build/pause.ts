import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDirectory } from "./go-project";
import { run } from "./run";
import { step, type StepOutput } from "./step";
import type { GoToolchain } from "./toolchain";

/** The directory of a module's source, downloaded where it isn't there. */
export async function moduleSource(go: GoToolchain, project: string, module: string): Promise<string> {
    const options = { cwd: projectDirectory(project), environment: { GOFLAGS: "-mod=readonly", GOWORK: "off" } };
    const answer = await run(go.program, ["mod", "download", "-json", module], options);
    return (JSON.parse(answer) as { readonly Dir: string }).Dir;
}

/** Kubernetes' own pause program, build/pause/linux/pause.c of its module, with the flags of build/pause/Makefile. */
export async function buildPause(version: string, kubernetesSource: string): Promise<StepOutput> {
    const source = join(kubernetesSource, "build/pause/linux/pause.c");
    const flags = ["-Os", "-Wall", "-Werror", "-static", "-s", `-DVERSION=v${version}`];
    return step("pause", { source: readFileSync(source, "utf8"), flags }, async (directory) => {
        const program = join(directory, "pause");
        await run("gcc", [...flags, "-o", program, source]);
        chmodSync(program, 0o755);
    });
}
