import pc from "picocolors";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { localLab } from "./differences";
import { openCluster } from "./open-cluster";
import { installBootUnit, removeBootUnit } from "./start/boot-unit";
import type { Stack } from "./stack";
import { clusterStatus, isHealthy } from "./status";
import { downParts, renderDownParts, settled, startDownParts } from "./stopped-machines";

/** Seconds until started machines must be healthy. */
const BOOT_SECONDS = 120;

export interface StartOptions {
    /** By systemd, whenever this host boots. */
    readonly atBoot: boolean;
    /** No longer by systemd. */
    readonly notAtBoot: boolean;
}

/**
 * Starts a lab's machines, or has systemd do so, or no longer.
 *
 * @throws UserError where its machines aren't this host's, systemd isn't there, or not everything gets well.
 */
export async function start(stack: Stack, { atBoot, notAtBoot }: StartOptions): Promise<void> {
    if (notAtBoot) {
        console.log(removeBootUnit(stack) ?? "systemd doesn't start this lab");
        return;
    }
    requireLocalLab(stack);
    if (atBoot) {
        console.log(`at boot: ${installBootUnit(stack)}`);
    }
    await startMachines(stack);
}

/**
 * Starts what doesn't run of a local lab that is up, after a reboot of the host say, and waits until it is well. The engine isn't asked:
 * nothing of the cluster changes.
 *
 * @throws UserError where a machine's disk is gone, or not everything gets well.
 */
async function startMachines(stack: Stack): Promise<void> {
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

function requireLocalLab(stack: Stack): void {
    if (localLab(stack) === undefined) {
        throw new UserError(`The machines of the stack "${stack.name}" aren't this host's: start them where they are.`);
    }
}
