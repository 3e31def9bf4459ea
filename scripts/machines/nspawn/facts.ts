import { readFileSync } from "node:fs";
import { cgroupLayout } from "../cgroups";
import type { MachineFacts } from "../contract";

/** The kernel's CAP_SYS_RESOURCE: without it no process lowers an OOM score. */
const CAP_SYS_RESOURCE = 24n;
/** The user namespace that the kernel started with: all users, as they are. */
const INITIAL_USERS = /^\s*0\s+0\s+4294967295\s*$/;

/**
 * What the services of a container machine must know of it.
 *
 * @param init of its process 1: the texts of /proc/PID/mounts, /proc/PID/status and /proc/PID/uid_map.
 */
export function containerFacts(init: {
    readonly mounts: string;
    readonly status: string;
    readonly users: string;
}): MachineFacts {
    const v2 = cgroupLayout(init.mounts, false).kind === "v2";
    const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(init.status)?.[1] ?? "0"}`);
    const lowersScores = ((capabilities >> CAP_SYS_RESOURCE) & 1n) === 1n && INITIAL_USERS.test(init.users);
    return {
        // On cgroup v2 the machine's systemd owns all its cgroups:
        // https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers
        cgroupDriver: v2 ? "systemd" : "cgroupfs",
        failCgroupV1: v2,
        // Swap is the workstation's: it may be turned on later, and a machine can't turn it off.
        failSwapOn: false,
        restrictOomScoreAdj: !lowersScores,
        // The limit belongs to the workstation's network namespace.
        conntrackMaxPerCore: 0,
    };
}

/** The facts of a machine that runs. @param pid of its process 1, as the workstation numbers it. */
export function factsOfContainer(pid: number): MachineFacts {
    const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, "utf8");
    return containerFacts({ mounts: read("mounts"), status: read("status"), users: read("uid_map") });
}
