import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Counter } from "../../parts/build/counter";
import { Estimate } from "../../parts/build/estimate";
import { neededGo } from "../../parts/build/go-module";
import { buildProject, parallelism } from "../../parts/build/go-project";
import { findGo } from "../../parts/build/toolchain";
import { buildRoot } from "../../parts/paths";
import type { Progress } from "../../support/progress";

/** Where the switch's source is, with the go.mod and go.sum that pin gvisor-tap-vsock. */
export const SWITCH_MODULE = join(__dirname, "switch");

const PROJECT = {
    name: "switch",
    cpuSeconds: 60,
    module: "github.com/containers/gvisor-tap-vsock",
    version: "switch",
    cgo: false,
    tags: [],
    variables: {},
    programs: { "bin/switch": "kubelab/switch" },
};

/**
 * Builds the switch of networks without root, where it isn't in the cache. It goes to no machine, and so is none of the parts.
 *
 * @returns the program's path in the cache.
 * @throws UserError where there is no Go.
 */
export async function buildSwitch(progress: Progress): Promise<string> {
    mkdirSync(buildRoot(), { recursive: true });
    const go = await findGo(neededGo([SWITCH_MODULE]), progress);
    const counter = new Counter(1, progress, new Estimate({ [PROJECT.name]: PROJECT.cpuSeconds }, parallelism()));
    const { directory } = await buildProject(PROJECT, go, counter, SWITCH_MODULE);
    return join(directory, "bin/switch");
}
