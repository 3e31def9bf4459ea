import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../commands";
import { asRootOfNamespace } from "../user-namespace";
import { finishImage } from "./image-recipe";
import { IMAGE_FILES } from "./files";
import { initrd } from "./initrd";

/** Size of the file system in the image; a machine's disk is larger, and the file system grows into it. In GiB. */
const IMAGE_SIZE = 4;

/** Where the archive of the packages' files has the kernel's, which are no part of the image. */
export const KERNEL_IN_TREE = ".kernel";

/**
 * Makes an image out of the packages' files. Called by root, or by root of a user namespace.
 *
 * @param root directory with the packages' files.
 * @param kernel directory with the unpacked kernel and busybox.
 * @param directory of the image, to be made.
 */
export function makeImageOf(root: string, kernel: string, directory: string, step: (line: string) => void): void {
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

/**
 * Writes an ext4 file system with what is in `root`; what is the user's there is root's in it.
 *
 * @param size in GiB; what isn't used takes no room.
 */
export function makeFileSystem(root: string, file: string, size: number): void {
    const options = ["-q", "-t", "ext4", "-E", "lazy_itable_init=1,root_owner=0:0"];
    const [program, ...args] = asRootOfNamespace(["mke2fs", ...options, "-d", root, file, `${size}G`]);
    run(program, args);
}
