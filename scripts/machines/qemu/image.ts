import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Progress } from "../../support/progress";
import { buildOnce } from "../build-once";
import { run } from "../commands";
import { mmdebstrap } from "../mmdebstrap";
import { type Release, RELEASES } from "../rootfs-recipe";
import { rootfsPath } from "../rootfs";
import { FETCH_KERNEL, finishImage, imageDigest, VM_PACKAGES } from "./image-recipe";
import { IMAGE_FILES } from "./files";
import { initrd } from "./initrd";

/** Size of the file system in the image; a machine's disk is larger, and the file system grows into it. In GiB. */
const IMAGE_SIZE = 4;

/**
 * What every virtual machine begins as: a disk with Debian, its kernel, and an initrd. Made without a loop device or any other
 * privilege beyond mmdebstrap's.
 *
 * @returns its directory, in the cache.
 * @throws UserError with the last lines of the build's log when it fails
 */
export async function ensureImage(progress: Progress, release: Release = RELEASES[0]): Promise<string> {
    return buildOnce(
        {
            path: rootfsPath(`${imageDigest(release)}-vm`),
            what: `the virtual machines' disk (Debian ${release}, ${VM_PACKAGES.length} packages and a kernel)`,
            make: (directory, step) => makeImage(directory, release, step),
        },
        progress,
    );
}

async function makeImage(directory: string, release: Release, step: (line: string) => void): Promise<void> {
    const [root, kernel] = ["tree", "kernel"].map((name) => join(dirname(directory), name)) as [string, string];
    const hooks = [`'${FETCH_KERNEL}' '${kernel}' ${DEBIAN_ARCHITECTURE}`];
    await mmdebstrap({ root, release, packages: VM_PACKAGES, hooks }, step);
    finishImage(root);
    const [version = ""] = readdirSync(join(kernel, "lib/modules"));
    mkdirSync(join(root, "usr/lib/modules"), { recursive: true });
    renameSync(join(kernel, "lib/modules", version), join(root, "usr/lib/modules", version));
    run("chroot", [root, "depmod", version]);
    step(`writing the disk, with Linux ${version}`);
    mkdirSync(directory);
    makeFileSystem(root, join(directory, IMAGE_FILES.disk), IMAGE_SIZE);
    renameSync(join(kernel, "boot", `vmlinuz-${version}`), join(directory, IMAGE_FILES.kernel));
    writeFileSync(join(directory, IMAGE_FILES.initrd), initrd(join(root, "usr/lib/modules", version), kernel));
}

/** Only where QEMU emulates or runs a machine of this host's own kind. */
const DEBIAN_ARCHITECTURE = "amd64";

/** Writes an ext4 file system with what is in `root`. @param size in GiB; what isn't used takes no room. */
export function makeFileSystem(root: string, file: string, size: number): void {
    const options = ["-q", "-t", "ext4", "-E", "lazy_itable_init=1,root_owner=0:0"];
    run("mke2fs", [...options, "-d", root, file, `${size}G`]);
}
