import { driverOfRole } from "../../components/cluster-spec/local";
import type { NodeSpec } from "../../components/cluster-spec/types";
import { partsRequest } from "../../components/steps/parts/request";
import { ensureCli } from "../engine/cli";
import { ensureImage } from "../machines/qemu/image";
import { ensureRootfs } from "../machines/rootfs";
import { ensureParts } from "../parts";
import type { Display } from "../support/display";
import type { Progress } from "../support/progress";
import { specOfStack } from "./spec-of-stack";
import { describeNewMachines, madeBy } from "./new-machines";
import type { Stack } from "./stack";

/**
 * Gets what takes minutes before the engine starts, so that it can be seen: behind a resource nobody sees how far it is. All of it is
 * quick where it is in the cache already.
 *
 * @throws UserError where the stack's config is wrong, before anything is got.
 */
export async function getSoftware(
    stack: Stack,
    overrides: Readonly<Record<string, string>>,
    display: Display,
): Promise<void> {
    const spec = specOfStack(stack, overrides);
    const machines = spec?.local === undefined ? [] : spec.nodes;
    // A lab keeps its drivers, whatever this host would choose by now.
    const isVirtual = (node: NodeSpec): boolean =>
        (madeBy(spec?.name ?? "", node) ?? (spec?.local && driverOfRole(spec.local, node.role))) === "qemu";
    const created = spec && describeNewMachines(spec);
    if (created !== undefined) {
        display.progress(created);
    }
    // Much of it is waiting for downloads and disks, so it takes its time beside the builds that keep the processors busy.
    const rootfs = machines.every(isVirtual) ? undefined : ensureRootfs(inTheBackground(display.progress));
    // What is wrong with it is told where it is waited for.
    rootfs?.catch(() => undefined);
    try {
        display.begin("Pulumi CLI");
        await ensureCli(display.progress);
        if (spec !== undefined) {
            display.begin("parts");
            await ensureParts(partsRequest(spec), display.progress);
        }
    } finally {
        if (rootfs !== undefined) {
            display.begin("root file system");
            await rootfs;
        }
    }
    if (machines.some(isVirtual)) {
        display.begin("image of the virtual machines");
        await ensureImage(display.progress);
    }
}

/** Tells what is finished only, since something else is under way. */
function inTheBackground(progress: Progress): Progress {
    return Object.assign((line: string) => progress(line), { now: () => undefined });
}
