import { join } from "node:path";
import { machineNames } from "../names";

/** Files of an image's directory. */
export const IMAGE_FILES = { disk: "disk.img", kernel: "vmlinuz", initrd: "initrd" } as const;

/** Files of a virtual machine's directory. */
export function vmFiles(lab: string, machine: string) {
    const { directory, runFile } = machineNames(lab, machine);
    return {
        disk: join(directory, "disk.qcow2"),
        parts: join(directory, "parts.qcow2"),
        initrd: join(directory, "initrd"),
        /** Socket of QEMU's monitor. */
        monitor: `${runFile}.qmp`,
    } as const;
}
