import { setTimeout as sleep } from "node:timers/promises";
import { localLab } from "./differences";
import { KeptRepairs } from "./kept-repairs";
import type { Stack } from "./stack";

/** What of a local lab an `up` finds down. */
export interface DownParts {
    /** Bridge, way out or registry. */
    readonly network: boolean;
    /** Machines that have a disk and don't run. */
    readonly stopped: readonly string[];
    /** Machines that have no disk any more. */
    readonly absent: readonly string[];
}

/** What of a stack's local lab doesn't run, though the stack is up; undefined when all of it runs, or there is nothing of it. */
export async function downParts(stack: Stack): Promise<DownParts | undefined> {
    const lab = stack.isUp() ? localLab(stack) : undefined;
    if (lab === undefined) {
        return undefined;
    }
    const { machineStatus, networkDifferences } = await import("../machines/status");
    const names = stack.outputs().nodes.map(({ name }) => name);
    const stopped = names.filter((name) => machineStatus(lab, name) === "stopped");
    const absent = names.filter((name) => machineStatus(lab, name) === "absent");
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
 * Starts again what a reboot of the host, say, has ended: network and machines as they were, with their disks. Machines without
 * a disk are left to the engine, which is told to run their steps again.
 */
export async function startDownParts(stack: Stack, parts: DownParts, progress: (line: string) => void): Promise<void> {
    const lab = localLab(stack) ?? "";
    const [{ checkHost }, { createNetwork }, { createMachine }, { readMachine, readNetwork }] = await Promise.all([
        import("../machines/commands"),
        import("../machines/network"),
        import("../machines/machine"),
        import("../machines/records"),
    ]);
    checkHost();
    const again = [...parts.absent];
    const network = readNetwork(lab);
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

/** Waits until nothing differs any more. @returns whether it came to that within so many seconds. */
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
