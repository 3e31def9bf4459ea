import pc from "picocolors";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { localLab } from "./differences";
import { openCluster } from "./open-cluster";
import type { Stack } from "./stack";
import { clusterStatus, isHealthy } from "./status";
import { downParts, renderDownParts, settled, startDownParts } from "./stopped-machines";

/** Seconds until started machines must be healthy. */
const BOOT_SECONDS = 120;

/**
 * Starts what doesn't run of a local lab that is up, after a reboot of the host say, and waits until it is well. The engine isn't asked:
 * nothing of the cluster changes.
 *
 * @throws UserError where a machine's disk is gone, or not everything gets well.
 */
export async function start(stack: Stack): Promise<void> {
    requireLocalLab(stack);
    const display = new Display();
    try {
        const down = await downParts(stack);
        if (down === undefined) {
            display.line("all machines of the lab run");
            return;
        }
        if (down.absent.length > 0) {
            throw new UserError(
                `${down.absent.join(", ")}: gone, with the disk. '${stack.command("up")}' makes it anew.`,
            );
        }
        display.begin("machines");
        display.line(`starting, with their disks: ${renderDownParts(down)}`);
        await startDownParts(stack, down, display.progress);
        await waitUntilWell(stack, display);
        display.line(`${pc.green("✓")} all is well`);
    } finally {
        display.end();
    }
}

/** @throws UserError where not everything is healthy after two minutes. */
export async function waitUntilWell(stack: Stack, display: Display): Promise<void> {
    display.begin("health");
    const well = async (): Promise<boolean> => isHealthy(await clusterStatus(await openCluster(stack)));
    if (!(await settled(BOOT_SECONDS, async () => !(await well())))) {
        throw new UserError(
            `Not everything is healthy after ${BOOT_SECONDS} seconds: see '${stack.command("status")}'.`,
        );
    }
}

/** @returns its name. */
export function requireLocalLab(stack: Stack): string {
    const lab = localLab(stack);
    if (lab === undefined) {
        throw new UserError(`The machines of the stack "${stack.name}" aren't this host's: start them where they are.`);
    }
    return lab;
}
