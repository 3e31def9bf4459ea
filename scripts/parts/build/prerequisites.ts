import { spawnSync } from "node:child_process";
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { installCommand, installPackages } from "../../support/apt";
import { UserError } from "../../support/errors";
import type { Progress } from "../../support/progress";

/** For runc (cgo and libseccomp) and pause. */
const PACKAGES = ["gcc", "libc6-dev", "libseccomp-dev", "pkg-config"];

/**
 * Makes sure that the Debian packages for a build are installed: installs them as root.
 *
 * @throws UserError where that isn't possible, with the command that does it.
 */
export async function ensureBuildPackages(progress: Progress): Promise<void> {
    if (spawnSync("apt-get", ["--version"]).status !== 0 || spawnSync("dpkg-deb", ["--version"]).status !== 0) {
        throw new UserError(
            "building the parts needs apt-get and dpkg-deb (Debian, Ubuntu): build them there, copy the directory and use " +
                "--source directory",
        );
    }
    const missing = PACKAGES.filter((name) => !isInstalled(name));
    if (missing.length === 0) {
        return;
    }
    if (process.getuid?.() !== 0) {
        throw new UserError(`building the parts needs ${missing.join(", ")}: run '${installCommand(missing)}' as root`);
    }
    await installPackages(missing, progress);
}

function isInstalled(name: string): boolean {
    const asked = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Status}", name], { encoding: "utf8" });
    return asked.status === 0 && asked.stdout === "installed";
}

/** @returns the bytes by which Go's caches grow, about, in a build that keeps one core busy for so many seconds. */
export function roomForBuild(cpuSeconds: number): number {
    return cpuSeconds * 6 * 1024 ** 2;
}

/**
 * @param directories where something is written; those that don't exist yet are on the file system of their parents.
 * @param needed bytes.
 * @throws UserError where one of their file systems has too little free space.
 */
export function ensureRoom(directories: readonly string[], what: string, needed: number): void {
    for (const directory of directories) {
        const { bavail, bsize } = statfsSync(existingParent(directory));
        const free = bavail * bsize;
        if (free < needed) {
            const gib = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1);
            throw new UserError(
                `${directory} has ${gib(free)} GiB free, and ${what} needs ${gib(needed)}. Make room, or set ` +
                    "KUBELAB_CACHE (for Go also GOCACHE and GOMODCACHE) to a directory on a larger file system.",
            );
        }
    }
}

function existingParent(directory: string): string {
    return existsSync(directory) ? directory : existingParent(dirname(directory));
}
