import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, rmdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { endingWithParent } from "../support/ends-with-parent";
import { UserError } from "../support/errors";

/** Runs a program to its end. @throws Error with what it said, when it fails. @returns its standard output. */
export function run(command: string, args: readonly string[], input = ""): string {
    const result = spawnSync(command, args, { input, encoding: "utf8", maxBuffer: 64 << 20 });
    if (result.error) {
        throw result.error;
    }
    if (result.status !== 0) {
        throw new Error(`${[command, ...args].join(" ")}: ${(result.stderr || result.stdout).trim()}`);
    }
    return result.stdout;
}

/** Runs a program and ignores its failure: there was nothing to do. */
export function tryRun(command: string, args: readonly string[]): boolean {
    return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Programs the driver uses, and the Debian and Ubuntu packages that have them. */
const TOOLS: Readonly<Record<string, string>> = {
    mmdebstrap: "mmdebstrap",
    unshare: "util-linux",
    flock: "util-linux",
};
/** Those for containers and bridges. */
const ROOT_TOOLS = { "systemd-nspawn": "systemd-container", ip: "iproute2", nft: "nftables", mount: "mount" } as const;
/** Those that make an image without root. */
const USER_TOOLS = { newuidmap: "uidmap", newgidmap: "uidmap" } as const;

/**
 * @param userNetwork whether the lab's network is one that needs no root.
 * @throws UserError where this host can't run machines, with all that is missing and how to get it.
 */
export function checkHost(userNetwork: boolean): void {
    if (process.platform !== "linux") {
        throw new UserError(`Local machines need Linux; this is ${process.platform}.`);
    }
    if (process.getuid?.() !== 0) {
        if (!userNetwork) {
            throw new UserError(
                "Local machines on a bridge need root: network namespaces, mounts and cgroups. Run this as root, or take virtual " +
                    'machines without it: kubelab:local {driver: "qemu", networking: "user"}.',
            );
        }
        requireTools({ ...TOOLS, ...USER_TOOLS });
        return;
    }
    requireTools(userNetwork ? TOOLS : { ...TOOLS, ...ROOT_TOOLS });
}

/** @param tools programs, and the Debian and Ubuntu packages that have them. @throws UserError with all that are missing. */
export function requireTools(tools: Readonly<Record<string, string>>): void {
    const missing = Object.keys(tools).filter((tool) => !isOnPath(tool));
    if (missing.length > 0) {
        const packages = [...new Set(missing.map((tool) => tools[tool]))].join(" ");
        throw new UserError(`Missing on this host: ${missing.join(", ")}. Install: apt-get install ${packages}`);
    }
}

/** Whether a program can be found the way a shell would find it. */
export function isOnPath(command: string): boolean {
    return (process.env["PATH"] ?? "").split(delimiter).some((directory) => existsSync(join(directory, command)));
}

/**
 * Runs `action` while this process alone holds `directory`, which is made where it is missing. The kernel lets go of it when
 * the process ends, however it ends. `waiting` is called when someone else holds it.
 */
export async function withLock<T>(
    directory: string,
    action: () => T | Promise<T>,
    waiting: () => void = () => undefined,
): Promise<T> {
    for (;;) {
        const descriptor = openDirectory(directory);
        try {
            if (!tryFlock(descriptor)) {
                waiting();
                if (!(await flock(descriptor))) {
                    throw new Error(`flock gave no lock on ${directory}: nothing is done without it`);
                }
            }
            // Whoever held it may have deleted the directory.
            if (statSync(directory, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino) {
                return await action();
            }
        } finally {
            closeSync(descriptor);
        }
    }
}

/** Makes the directory where it is missing, as often as someone removes it in between. */
function openDirectory(directory: string): number {
    for (;;) {
        try {
            mkdirSync(directory, { recursive: true, mode: 0o700 });
            return openSync(directory, "r");
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
                throw error;
            }
        }
    }
}

/** Removes directories that are empty, and leaves the others. */
export function removeEmpty(...directories: readonly string[]): void {
    for (const directory of directories) {
        try {
            rmdirSync(directory);
        } catch (error) {
            if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) {
                throw error;
            }
        }
    }
}

/** The lock belongs to the open file, which flock(1) shares with this process, and so outlives flock(1). */
function tryFlock(descriptor: number): boolean {
    return spawnSync("flock", ["--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] }).status === 0;
}

/** Waits for the lock; what this process does besides, such as showing its progress, goes on. */
async function flock(descriptor: number): Promise<boolean> {
    const [program, ...args] = endingWithParent(["flock", "--exclusive", "3"]);
    const waiting = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", descriptor] });
    const [status] = (await once(waiting, "exit")) as [number | null];
    return status === 0;
}
