import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Progress } from "../../support/progress";
import { buildOnce } from "../build-once";
import { run } from "../commands";
import { mmdebstrap } from "../mmdebstrap";
import { AS_ROOT } from "../names";
import { type Release, RELEASES } from "../rootfs-recipe";
import { rootfsPath } from "../rootfs";
import { asRootOfNamespace } from "../user-namespace";
import { FETCH_KERNEL, imageDigest, VM_PACKAGES } from "./image-recipe";
import { KERNEL_IN_TREE, makeImageOf } from "./image-tree";

/**
 * What every virtual machine begins as: a disk with Debian, its kernel, and an initrd. Made without a loop device; by an
 * ordinary user in user namespaces.
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
    const beside = (name: string): string => join(dirname(directory), name);
    if (AS_ROOT) {
        const [root, kernel] = [beside("tree"), beside("kernel")];
        const hooks = [`'${FETCH_KERNEL}' '${kernel}' ${DEBIAN_ARCHITECTURE}`];
        await mmdebstrap({ root, release, packages: VM_PACKAGES, hooks }, step);
        makeImageOf(root, kernel, directory, step);
        return;
    }
    const archive = beside("tree.tar");
    // The hook's user is none who could read the script in a home directory.
    const script = shellQuote(readFileSync(FETCH_KERNEL, "utf8"));
    const hooks = [`bash -c ${script} fetch-kernel "$1/${KERNEL_IN_TREE}" ${DEBIAN_ARCHITECTURE}`];
    await mmdebstrap({ root: archive, release, packages: VM_PACKAGES, hooks }, step);
    step("unpacking the packages' files");
    const program = join(__dirname, "image-in-namespace.ts");
    const [file, ...args] = asRootOfNamespace([process.execPath, "--require", "tsx/cjs", program, archive, directory]);
    run(file, args);
}

/** Only where QEMU emulates or runs a machine of this host's own kind. */
const DEBIAN_ARCHITECTURE = "amd64";

function shellQuote(text: string): string {
    return `'${text.replace(/'/g, "'\\''")}'`;
}
