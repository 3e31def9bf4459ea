import { partsRequest } from "../../components/steps/parts/request";
import { ensureCli } from "../engine/cli";
import { ensureImage } from "../machines/qemu/image";
import { ensureRootfs } from "../machines/rootfs";
import { ensureParts } from "../parts";
import type { Display } from "../support/display";
import { specOfStack } from "./spec-of-stack";
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
    display.begin("Pulumi CLI");
    await ensureCli(display.progress);
    if (spec === undefined) {
        return;
    }
    display.begin("parts");
    await ensureParts(partsRequest(spec), display.progress);
    const { local } = spec;
    if (local === undefined) {
        return;
    }
    const virtual = spec.nodes.filter(({ role }) => local.virtual.includes(role));
    if (virtual.length < spec.nodes.length) {
        display.begin("root file system");
        await ensureRootfs(display.progress);
    }
    if (virtual.length > 0) {
        display.begin("image of the virtual machines");
        await ensureImage(display.progress);
    }
}
