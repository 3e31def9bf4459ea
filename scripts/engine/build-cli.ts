import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Counter } from "../parts/build/counter";
import { buildProject } from "../parts/build/go-project";
import { ensureRoom } from "../parts/build/prerequisites";
import { findGo } from "../parts/build/toolchain";
import { buildRoot } from "../parts/paths";

const NEEDED_BYTES = 3 * 1024 ** 3;
const GO = "1.26.0";

/**
 * Builds the Pulumi CLI from its Go module, which scripts/parts/go/pulumi pins with all that it needs.
 *
 * @returns the program's path in the cache.
 * @throws UserError where there is no Go, or too little room.
 */
export async function buildCli(version: string, progress: (line: string) => void): Promise<string> {
    mkdirSync(buildRoot(), { recursive: true });
    ensureRoom(buildRoot(), "the build of the Pulumi CLI", NEEDED_BYTES);
    const go = await findGo(GO, progress);
    const counter = new Counter(1, progress);
    const project = {
        name: "pulumi",
        module: "github.com/pulumi/pulumi/pkg/v3",
        version: "pulumi",
        cgo: false,
        tags: [],
        variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": version },
        programs: { "bin/pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    };
    const { directory } = await buildProject(project, go, counter);
    return join(directory, "bin/pulumi");
}
