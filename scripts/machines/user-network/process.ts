import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../support/errors";
import { late } from "../../support/late";
import type { Progress } from "../../support/progress";
import { type CgroupLayout, endProcess, processesOf } from "../cgroups";
import type { NetworkSettings } from "../contract";
import { launchService, serviceTail } from "../launch";
import { labNames } from "../names";
import { registryAddress } from "../registry/process";
import { isPluggedIn } from "./control";
import { switchSockets } from "./files";

/** Longest path of a Unix socket: sun_path of unix(7) without the closing NUL. */
const SOCKET_PATH_LENGTH = 107;
/** The longest ending of a socket beside a machine's name. */
const LONGEST_NAME = "worker-1000.qmp".length;

/** Milliseconds that the switch has to listen. */
const START = 10_000;

/** Whether the lab's switch runs. */
export function switchRuns(layout: CgroupLayout, lab: string): boolean {
    return processesOf(layout, { lab, service: "switch" }).length > 0;
}

/**
 * Makes sure that the lab's switch runs, and listens.
 *
 * @throws UserError where it can't be built or doesn't start.
 */
export async function ensureSwitch(layout: CgroupLayout, request: NetworkSettings, progress: Progress): Promise<void> {
    const { lab, network, gateway, registryPort } = request;
    const { hardwareAddress, runDirectory } = labNames(lab);
    if (runDirectory.length + 1 + LONGEST_NAME > SOCKET_PATH_LENGTH) {
        throw new UserError(
            `${runDirectory} is too long for the paths of sockets, which have at most ${SOCKET_PATH_LENGTH} characters: ` +
                "set XDG_STATE_HOME to a shorter directory, or kubelab:name to a shorter name.",
        );
    }
    if (switchRuns(layout, lab)) {
        return;
    }
    const { buildSwitch } = await late<typeof import("./build")>(require, "./build");
    const program = await buildSwitch(progress);
    const { machines, control } = switchSockets(lab);
    // One that was killed has left them.
    [machines, control].forEach((path) => {
        rmSync(path, { force: true });
    });
    const settings = {
        network,
        gateway,
        "hardware-address": hardwareAddress,
        machines,
        control,
        port: String(registryPort),
        to: `${registryAddress(request)}:${registryPort}`,
    };
    const command = [program, ...Object.entries(settings).map(([name, value]) => `-${name}=${value}`)];
    launchService(layout, { lab, service: "switch" }, command, "/");
    for (const started = Date.now(); !existsSync(control) || (await isPluggedIn(lab, "")) === undefined;) {
        if (Date.now() > started + START) {
            throw new UserError(`The switch of lab "${lab}" doesn't start. ${serviceTail(lab, "switch")}`);
        }
        await sleep(50);
    }
}

export function endSwitch(layout: CgroupLayout, lab: string): Promise<void> {
    return endProcess(layout, { lab, service: "switch" });
}
