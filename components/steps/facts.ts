import * as pulumi from "@pulumi/pulumi";
import type { Machine, MachineFacts } from "../machines/machine";
import { step } from "./step";

/** systemd-resolved's own file, with the servers behind its stub: pods can't reach that, and CoreDNS would ask itself. */
const BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

/** The facts of the machine, as one line of JSON. */
export const PROBE = [
    // On cgroup v2 systemd owns all cgroups: https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers
    `if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then driver=systemd v2=true; else driver=cgroupfs v2=false; fi`,
    "swap_off=true",
    `if [ "$(wc -l </proc/swaps)" -gt 1 ]; then swap_off=false; fi`,
    "restrict=false",
    "(echo -999 >/proc/self/oom_score_adj) 2>/dev/null || restrict=true",
    "modprobe -q nf_conntrack 2>/dev/null || true",
    "limit=/proc/sys/net/netfilter/nf_conntrack_max per_core=",
    `if ! (value=$(<$limit) && echo "$value" >$limit) 2>/dev/null; then per_core=',"conntrackMaxPerCore":0'; fi`,
    "stub=",
    `if grep -qs '^nameserver 127.0.0.53' /etc/resolv.conf && [ -e ${BEHIND_STUB} ]; then stub=',"resolvConf":"${BEHIND_STUB}"'; fi`,
    `printf '{"cgroupDriver":"%s","failCgroupV1":%s,"failSwapOn":%s,"restrictOomScoreAdj":%s%s%s}\\n' $driver $v2 $swap_off $restrict "$per_core" "$stub"`,
];

/**
 * Reads the facts of a machine that kubelab did not make. It is the first step there: it waits until the machine
 * answers.
 */
export function probeFacts(
    machine: Pick<Machine, "name" | "cluster" | "connection" | "id" | "vm" | "user">,
    parent: pulumi.Resource,
): pulumi.Output<MachineFacts> {
    const asked = step(`${machine.name}-facts`, { machine, script: { create: PROBE }, library: "none" }, parent);
    // The connection's key makes all that comes over it a secret; this is none.
    return pulumi.unsecret(asked.stdout).apply(
        (text) =>
            ({
                conntrackMaxPerCore: undefined,
                registries: [],
                ...(JSON.parse(text) as object),
            }) as unknown as MachineFacts,
    );
}
