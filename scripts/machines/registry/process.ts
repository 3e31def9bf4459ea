import { spawn } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { UserError } from "../../support/errors";
import { repositoryRoot } from "../../support/paths";
import { cgroupsOf, createCgroups, endProcess, processesIn, unitName, type CgroupLayout } from "../cgroups";
import type { NetworkSettings } from "../contract";
import { labNames } from "../names";
import { ImageStore } from "./image-store";

/**
 * Makes sure that the lab's registry runs with the settings of `file`. It starts in the background and accepts
 * connections a few tenths of a second later, before the first machine is up.
 *
 * @param restart whether a running one has other settings
 * @throws UserError when its images can't be read or its port is taken
 */
export async function ensureRegistry(
    layout: CgroupLayout,
    request: NetworkSettings,
    file: string,
    restart: boolean,
): Promise<void> {
    const { lab } = request;
    if (!restart && processesIn(cgroupsOf(layout, { lab })).length > 0) {
        return;
    }
    await endRegistry(layout, lab);
    await checkImages(request.partsDirectory);
    await checkPort(request);
    createCgroups(layout, { lab });
    start(layout, lab, file);
}

export function endRegistry(layout: CgroupLayout, lab: string): Promise<void> {
    return endProcess(layout, { lab });
}

async function checkImages(partsDirectory: string): Promise<void> {
    try {
        await ImageStore.open(join(partsDirectory, "images"));
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new UserError(`The images for the lab's registry can't be read: ${reason}. Get the parts again.`);
    }
}

function checkPort({ lab, gateway, registryPort }: NetworkSettings): Promise<void> {
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once("error", (error) => {
            reject(
                new UserError(
                    `The registry of lab "${lab}" can't listen on ${gateway}:${registryPort}: ${error.message}.`,
                ),
            );
        });
        probe.listen(registryPort, gateway, () =>
            probe.close(() => {
                resolve();
            }),
        );
    });
}

function start(layout: CgroupLayout, lab: string, file: string): void {
    const path = join(labNames(lab).runDirectory, "registry.log");
    const log = openSync(path, "a", 0o600);
    const command = [process.execPath, "--require", "tsx/cjs", join(__dirname, "main.ts"), file];
    const cwd = repositoryRoot();
    const output = [`--property=StandardOutput=append:${path}`, `--property=StandardError=append:${path}`];
    const unit = ["--quiet", "--collect", `--unit=${unitName({ lab })}`, `--working-directory=${cwd}`, ...output, "--"];
    const [program = "", ...args] =
        layout.kind === "v2" && layout.systemd ? ["systemd-run", ...unit, ...command] : command;
    const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", log, log] });
    child.unref();
    closeSync(log);
    if (child.pid !== undefined && !(layout.kind === "v2" && layout.systemd)) {
        for (const cgroup of cgroupsOf(layout, { lab })) {
            writeFileSync(join(cgroup, "cgroup.procs"), String(child.pid));
        }
    }
}
