import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { hostCgroupLayout } from "../../machines/cgroups";

/** The machine that was measured on. */
export interface HostDescription {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly kernel: string;
    readonly cgroup: string;
    readonly system: string;
    readonly node: string;
}

export function describeHost(): HostDescription {
    const all = cpus();
    return {
        processor: all[0]?.model.trim() ?? "unknown",
        cores: all.length,
        memoryGiB: Math.round(totalmem() / 1024 ** 3),
        kernel: release(),
        cgroup: hostCgroupLayout().kind,
        system: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease())?.[1] ?? "unknown",
        node: process.version,
    };
}

function osRelease(): string {
    try {
        return readFileSync("/etc/os-release", "utf8");
    } catch {
        return "";
    }
}
