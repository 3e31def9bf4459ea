import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { Counter } from "../../scripts/parts/build/counter";
import { neededGo } from "../../scripts/parts/build/go-module";
import { buildProject } from "../../scripts/parts/build/go-project";
import { ensureRoom, roomForBuild } from "../../scripts/parts/build/prerequisites";
import { findGo } from "../../scripts/parts/build/toolchain";
import { buildRoot } from "../../scripts/parts/paths";
import type { Progress } from "../../scripts/support/progress";

const MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4";
const PROGRAM = "pulumi-resource-kubernetes";
const CPU_SECONDS = 700;

/**
 * Builds Pulumi's provider for Kubernetes from its Go module, as ./provider pins it, for a host that can't get the plugin of the SDK's
 * version.
 *
 * @returns the directory in the cache that the program is in, for PATH.
 * @throws UserError where there is no Go, or too little room.
 */
export async function buildProvider(progress: Progress): Promise<string> {
    mkdirSync(buildRoot(), { recursive: true });
    const directory = join(__dirname, "provider");
    const go = await findGo(neededGo([directory]), progress);
    ensureRoom([buildRoot(), ...go.caches], "the build of Pulumi's provider for Kubernetes", roomForBuild(CPU_SECONDS));
    const project = {
        name: "pulumi-kubernetes",
        cpuSeconds: CPU_SECONDS,
        module: MODULE,
        version: "pulumi-kubernetes",
        cgo: false,
        tags: [],
        // Upstream's build makes the files that its main.go embeds.
        replacedFiles: { [`cmd/${PROGRAM}/main.go`]: "with-schema.go" },
        variables: {},
        programs: { [`bin/${PROGRAM}`]: `${MODULE}/cmd/${PROGRAM}` },
    };
    const output = await buildProject(project, go, new Counter(1, progress), directory);
    return dirname(join(output.directory, `bin/${PROGRAM}`));
}
