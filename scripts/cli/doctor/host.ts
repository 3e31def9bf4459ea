import { existsSync, readdirSync, readFileSync, realpathSync, statfsSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { goCandidates } from "../../parts/build/toolchain";

/** What the doctor asks a machine. Nothing here starts a process. */
export interface Host {
    readonly platform: string;
    /** As Node calls it: `x64`. */
    readonly architecture: string;
    readonly userId: number | undefined;
    /** e.g. `20.19.2` */
    readonly nodeVersion: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
    /** Text of a file, unpacked where its name ends in `.gz`; undefined where it can't be read. */
    read(path: string): string | undefined;
    exists(path: string): boolean;
    /** Names in a directory; none where it can't be read. */
    list(path: string): readonly string[];
    /** Where a command is, links resolved. */
    find(command: string): string | undefined;
    /** The Go program that a build of the parts takes, links resolved. */
    findGo(): string | undefined;
    /** The file system that has, or would have, a path. */
    fileSystem(path: string): FileSystem;
    /** IPv4 addresses of the network interfaces, as CIDR. */
    addresses(): readonly { readonly interface: string; readonly cidr: string }[];
}

export interface FileSystem {
    /** The same for all paths on it. */
    readonly id: string;
    /** Bytes */
    readonly free: number;
}

/** The machine that this program runs on. */
export function thisHost(): Host {
    const path = process.env["PATH"] ?? "";
    const directories = [...path.split(delimiter).filter((each) => each !== ""), "/usr/sbin", "/sbin"];
    return {
        platform: process.platform,
        architecture: process.arch,
        userId: process.getuid?.(),
        nodeVersion: process.versions.node,
        environment: process.env,
        read: (file) =>
            orUndefined(() => (file.endsWith(".gz") ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString()),
        exists: existsSync,
        list: (directory) => orUndefined(() => readdirSync(directory)) ?? [],
        find: (command) => firstThatExists(directories.map((directory) => join(directory, command))),
        findGo: () => firstThatExists(goCandidates(path)),
        fileSystem,
        addresses: () =>
            Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
                addresses
                    .filter(({ family, cidr }) => family === "IPv4" && cidr !== null)
                    .map(({ cidr }) => ({ interface: name, cidr: cidr ?? "" })),
            ),
    };
}

function firstThatExists(paths: readonly string[]): string | undefined {
    const found = paths.find((path) => existsSync(path));
    return found === undefined ? undefined : realpathSync(found);
}

function fileSystem(path: string): FileSystem {
    const there = nearestExisting(path);
    const { bavail, bsize } = statfsSync(there);
    return { id: String(statSync(there).dev), free: bavail * bsize };
}

function nearestExisting(path: string): string {
    return existsSync(path) || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function orUndefined<T>(action: () => T): T | undefined {
    try {
        return action();
    } catch {
        return undefined;
    }
}
