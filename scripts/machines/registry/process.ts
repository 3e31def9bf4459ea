import { createServer } from "node:net";
import { join } from "node:path";
import { UserError } from "../../support/errors";
import { repositoryRoot } from "../../support/paths";
import { type CgroupLayout, endProcess, processesOf } from "../cgroups";
import type { NetworkSettings } from "../contract";
import { launchService } from "../launch";
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
    if (!restart && processesOf(layout, { lab }).length > 0) {
        return;
    }
    await endRegistry(layout, lab);
    await checkImages(request.partsDirectory);
    await checkPort(request);
    const command = [process.execPath, "--require", "tsx/cjs", join(__dirname, "main.ts"), file];
    launchService(layout, { lab, service: "registry" }, command, repositoryRoot());
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

/** Of this host, that the registry listens on. */
export function registryAddress({
    gateway,
    loopback = gateway,
}: Pick<NetworkSettings, "gateway" | "loopback">): string {
    return loopback;
}

function checkPort(request: NetworkSettings): Promise<void> {
    const { lab, registryPort } = request;
    const address = registryAddress(request);
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once("error", (error) => {
            reject(
                new UserError(
                    `The registry of lab "${lab}" can't listen on ${address}:${registryPort}: ${error.message}.`,
                ),
            );
        });
        probe.listen(registryPort, address, () =>
            probe.close(() => {
                resolve();
            }),
        );
    });
}
