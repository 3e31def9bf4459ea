import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { copyOverlay, mask, PACKAGES, type Release, removeIdentity, RELEASES, rootfsDigest } from "../rootfs-recipe";
import { INIT } from "./initrd";

/** What a machine with a kernel of its own needs beside what every machine has. */
export const VM_PACKAGES = [...PACKAGES, "e2fsprogs", "udev"];

/** Script that gets the kernel. */
export const FETCH_KERNEL = join(__dirname, "fetch-kernel.sh");

/** Files that go over the packages' own: those of any machine, then those of a virtual one. */
const SHARED_OVERLAY = join(__dirname, "../rootfs");
const SHARED = ["etc/ssh", "etc/tmpfiles.d", "etc/systemd/system.conf.d", "etc/systemd/system/ssh.service.d"];
const OVERLAY = join(__dirname, "rootfs");

/** Unit of the overlay that is enabled. */
const GROW_ROOT = "grow-root.service";

/** First 16 hex digits of the sha256 of all that goes into the image. */
export function imageDigest(release: Release = RELEASES[0]): string {
    const hash = createHash("sha256").update(rootfsDigest(release));
    const own = readdirSync(OVERLAY, { recursive: true, encoding: "utf8" }).sort();
    const files = [...own.map((path) => join(OVERLAY, path)), ...RECIPE];
    for (const path of files.filter((each) => statSync(each).isFile())) {
        hash.update(`\0${path.slice(__dirname.length)}\0`).update(readFileSync(path));
    }
    return hash.digest("hex").slice(0, 16);
}

const RECIPE = [
    __filename,
    join(__dirname, "image.ts"),
    join(__dirname, "image-tree.ts"),
    join(__dirname, "initrd.ts"),
    INIT,
    FETCH_KERNEL,
];

/** Turns the packages' files into a virtual machine's: own files over them, no identity in them. */
export function finishImage(root: string): void {
    for (const path of SHARED) {
        copyOverlay(join(SHARED_OVERLAY, path), join(root, path));
    }
    copyOverlay(OVERLAY, root);
    const units = join(root, "etc/systemd/system");
    mask(root, ["serial-getty@ttyS0.service"]);
    mkdirSync(join(units, "multi-user.target.wants"), { recursive: true });
    symlinkSync(`../${GROW_ROOT}`, join(units, "multi-user.target.wants", GROW_ROOT));
    removeIdentity(root);
    for (const directory of ["var/log/journal", "opt/kubelab"]) {
        mkdirSync(join(root, directory), { recursive: true });
    }
    mkdirSync(join(root, "root/.ssh"), { recursive: true, mode: 0o700 });
}
