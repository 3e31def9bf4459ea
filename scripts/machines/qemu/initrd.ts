import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cpio } from "./cpio";

/** What a virtual machine needs to see its disks and its network, in the order in which it is loaded. All else is udev's. */
const MODULES = [
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "drivers/block/virtio_blk",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
    "drivers/char/hw_random/virtio-rng",
];

/** The script that the initrd runs. */
export const INIT = join(__dirname, "init.sh");

/**
 * The initrd of all virtual machines: busybox, drivers and a script. A machine's own archive comes behind it.
 *
 * @param modulesDirectory of the kernel: /lib/modules/VERSION.
 * @param kernel directory with the unpacked packages, of which busybox is one.
 */
export function initrd(modulesDirectory: string, kernel: string): Buffer {
    const modules = MODULES.map((path) => ({
        name: `${basename(path)}.ko`,
        data: readModule(join(modulesDirectory, "kernel", `${path}.ko`)),
    })).filter((module): module is { name: string; data: Buffer } => module.data !== undefined);
    return cpio([
        ...["bin", "dev", "proc", "sys", "root", "modules", "machine"].map((path) => ({ path })),
        { path: "bin/busybox", data: readFileSync(busybox(kernel)), mode: 0o755 },
        { path: "init", data: readFileSync(INIT), mode: 0o755 },
        ...modules.map(({ name, data }) => ({ path: `modules/${name}`, data })),
        { path: "modules/order", data: modules.map(({ name }) => `${name}\n`).join("") },
    ]);
}

/** Of Debian 12 and of later ones, which have everything below /usr. */
function busybox(kernel: string): string {
    return ["bin/busybox", "usr/bin/busybox"].map((path) => join(kernel, path)).find((path) => existsSync(path)) ?? "";
}

/** undefined where the kernel has it built in. */
function readModule(path: string): Buffer | undefined {
    if (existsSync(`${path}.xz`)) {
        return execFileSync("xz", ["--decompress", "--stdout", `${path}.xz`], { maxBuffer: 64 << 20 });
    }
    return existsSync(path) ? readFileSync(path) : undefined;
}
