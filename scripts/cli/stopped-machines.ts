import { setTimeout as sleep } from "node:timers/promises";
import { localLab } from "./differences";
import { KeptRepairs } from "./kept-repairs";
import type { Stack } from "./stack";
import { late } from "../support/late";

/** Parts of a local lab that are not running. */
export interface DownParts {
    /** Bridge, NAT or registry. */
    readonly network: boolean;
    /** Machines that have a disk and don't run, or wait for something. */
    readonly stopped: readonly string[];
    /** Machines that have no disk any more. */
    readonly absent: readonly string[];
}

/**
 * The parts of a stack's local lab that are not running although the stack is up; undefined when all of them run, or
 * none exist.
 */
export async function downParts(stack: Stack): Promise<DownParts | undefined> {
    const lab = stack.isUp() ? localLab(stack) : undefined;
    if (lab === undefined) {
        return undefined;
    }
    const { machineDifferences, machineStatus, networkDifferences } = await late<typeof import("../machines/status")>(
        require,
        "../machines/status",
    );
    const names = stack.outputs().nodes.map(({ name }) => name);
    const differences = await Promise.all(names.map((name) => machineDifferences(lab, name)));
    const down = names.filter((_, index) => differences[index]?.some(({ subject }) => subject === "machine"));
    const absent = down.filter((name) => machineStatus(lab, name) === "absent");
    const stopped = down.filter((name) => !absent.includes(name));
    const network = networkDifferences(lab).length > 0;
    return network || stopped.length > 0 || absent.length > 0 ? { network, stopped, absent } : undefined;
}

/** `the network, cp-1, worker-1` */
export function renderDownParts({ network, stopped, absent }: DownParts): string {
    return [
        ...(network ? ["the lab's network"] : []),
        ...stopped,
        ...absent.map((name) => `${name} (its disk is gone)`),
    ].join(", ");
}

/**
 * Restarts network and machines, with their disks, for example after a reboot of the host. The engine handles machines
 * without a disk: their steps run again.
 */
export async function startDownParts(stack: Stack, parts: DownParts, progress: (line: string) => void): Promise<void> {
    const lab = localLab(stack) ?? "";
    const [{ checkHost }, { createNetwork }, { createMachine }, { isUserNetwork, readMachine, readNetwork }] =
        await Promise.all([
            late<typeof import("../machines/commands")>(require, "../machines/commands"),
            late<typeof import("../machines/network")>(require, "../machines/network"),
            late<typeof import("../machines/machine")>(require, "../machines/machine"),
            late<typeof import("../machines/records")>(require, "../machines/records"),
        ]);
    const again = [...parts.absent];
    const network = readNetwork(lab);
    checkHost(isUserNetwork(network));
    if (network === undefined) {
        again.push("host");
    } else {
        await createNetwork(network, progress);
        await Promise.all(
            stack.outputs().nodes.map(async ({ name }) => {
                const record = readMachine(lab, name);
                if (record !== undefined) {
                    await createMachine(record, progress);
                }
            }),
        );
    }
    if (again.length > 0) {
        new KeptRepairs(stack).add(again, new Date().toISOString());
    }
}

/** Waits until there is no drift. @returns whether that happened within this many seconds. */
export async function settled(seconds: number, differs: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + seconds * 1000;
    while (await differs()) {
        if (Date.now() > deadline) {
            return false;
        }
        await sleep(500);
    }
    return true;
}
