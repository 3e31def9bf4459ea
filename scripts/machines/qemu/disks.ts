import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { run, withLock } from "../commands";
import { preloadedParts } from "../preloaded-parts";
import type { MachineRecord } from "../records";
import { IMAGE_FILES, vmFiles } from "./files";
import { makeFileSystem } from "./image-tree";

/** Room for the parts, and for those of later versions, in GiB. What isn't used takes no room. */
const PARTS_SIZE = 8;

/** Makes the machine's disks where they are missing, each on top of one that others have as well, and lets them grow. */
export function writeDisks(record: MachineRecord): void {
    const { disk, parts } = vmFiles(record.lab, record.machine);
    overlay(disk, join(record.base, IMAGE_FILES.disk));
    const size = record.vm.disk * 2 ** 30;
    if (virtualSize(disk) < size) {
        run("qemu-img", ["resize", "-q", "-f", "qcow2", disk, String(size)]);
    }
    if (record.preloaded !== undefined) {
        overlay(parts, record.preloaded);
    }
}

function overlay(file: string, base: string): void {
    if (!existsSync(file)) {
        const unfinished = `${file}.new`;
        run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", unfinished]);
        renameSync(unfinished, file);
    }
}

/** In bytes. */
function virtualSize(file: string): number {
    const info = JSON.parse(run("qemu-img", ["info", "--output=json", file])) as { readonly "virtual-size": number };
    return info["virtual-size"];
}

/**
 * The disk with the parts that all virtual machines of a lab begin with, made from the directory that containers have.
 *
 * @returns undefined where the lab has no such directory.
 */
export async function partsDisk(lab: string, partsDirectory: string): Promise<string | undefined> {
    const directory = preloadedParts(lab, partsDirectory);
    if (!existsSync(directory)) {
        return undefined;
    }
    const file = `${directory}.img`;
    await withLock(directory, () => {
        if (!existsSync(file)) {
            const unfinished = `${file}.new`;
            makeFileSystem(join(directory, "opt/kubelab"), unfinished, PARTS_SIZE);
            renameSync(unfinished, file);
        }
    });
    return file;
}
