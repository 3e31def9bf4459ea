import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run";
import { step, type StepOutput } from "./step";

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
