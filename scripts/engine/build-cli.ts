import { mkdirSync } from "node:fs";
import type { Progress } from "../support/progress";
import { join } from "node:path";
import { Counter } from "../parts/build/counter";
import { neededGo } from "../parts/build/go-module";
import { Estimate } from "../parts/build/estimate";
import { buildProject, parallelism } from "../parts/build/go-project";
import { ensureRoom, roomForBuild } from "../parts/build/prerequisites";
import { findGo } from "../parts/build/toolchain";
import { buildRoot } from "../parts/paths";

/** Where the go.mod and go.sum are that pin the CLI. They are no part of a lab: a newer CLI makes no other parts. */
export const CLI_MODULE = join(__dirname, "go");
/** As `cpuSeconds` of the parts' projects. */
const CPU_SECONDS = 700;
/**
 * What this CLI lacks, a quarter of the build: a state and secrets in Azure, and `pulumi api`, which reads the specification of
 * Pulumi Cloud's API. Where it is built none of these is reached.
 */
const LACKS = {
    withoutImports: {
        "backend/diy/backend.go": ["gocloud.dev/blob/azureblob"],
        "secrets/cloud/manager.go": ["gocloud.dev/secrets/azurekeyvault"],
    },
    replacedFiles: {
        "cmd/pulumi/cloud/spec.go": "without-cloud-api.go",
        "cmd/pulumi/cloud/schema.go": "without-schemas.go",
    },
};

/**
 * Builds the Pulumi CLI from its Go module, which ./go pins with all that it needs.
 *
 * @returns the program's path in the cache.
 * @throws UserError where there is no Go, or too little room.
 */
export async function buildCli(version: string, progress: Progress): Promise<string> {
    mkdirSync(buildRoot(), { recursive: true });
    const go = await findGo(neededGo([CLI_MODULE]), progress);
    ensureRoom([buildRoot(), ...go.caches], "the build of the Pulumi CLI", roomForBuild(CPU_SECONDS));
    const counter = new Counter(1, progress, new Estimate({ pulumi: CPU_SECONDS }, parallelism()));
    const project = {
        name: "pulumi",
        cpuSeconds: CPU_SECONDS,
        module: "github.com/pulumi/pulumi/pkg/v3",
        version: "pulumi",
        cgo: false,
        tags: [],
        ...LACKS,
        variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": version },
        programs: { "bin/pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    };
    const { directory } = await buildProject(project, go, counter, CLI_MODULE);
    return join(directory, "bin/pulumi");
}
