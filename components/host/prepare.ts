import * as pulumi from "@pulumi/pulumi";
import type { Machine, ReadyMachine } from "../machines/machine";
import { put } from "./script";
import { step } from "./step";

/** Kernel settings that routing pods' traffic needs, on every node. */
const SYSCTLS = [
    "# Nodes forward packets of pods.",
    "net.ipv4.ip_forward = 1",
    "# Packets that stay on a bridge pass the service rules too, else a pod can't reach a service that answers on its own node.",
    "net.bridge.bridge-nf-call-iptables = 1",
    "",
].join("\n");

/** A name of /etc/hosts and the addresses it stands for. */
export interface HostName {
    readonly name: string;
    readonly addresses: readonly string[];
}

/**
 * The first step on a machine: waits until it answers with the pinned host key, then gives it what every part of Kubernetes
 * expects of a Linux host (kernel modules, sysctls, the API endpoint's name).
 *
 * @param check statements that run before anything is changed.
 */
export function prepare(
    machine: Machine,
    names: pulumi.Input<readonly HostName[]>,
    parent: pulumi.Resource,
    check: readonly string[] = [],
): ReadyMachine {
    const ready = step(
        `${machine.name}-ready`,
        {
            machine,
            script: pulumi.output(names).apply((all) => ({
                create: [
                    "once ready",
                    ...check,
                    put({ path: "/etc/modules-load.d/kubelab.conf", content: "overlay\nbr_netfilter\n" }),
                    "modprobe -qa overlay br_netfilter || true",
                    put({ path: "/etc/sysctl.d/90-kubelab.conf", content: SYSCTLS }),
                    "sysctl -q --load=/etc/sysctl.d/90-kubelab.conf || fail 'the kernel lacks br_netfilter or IP forwarding'",
                    hostsBlock(all),
                ],
            })),
        },
        parent,
    );
    return { ...machine, ready };
}

/** Replaces kubelab's own lines of /etc/hosts and leaves all others. */
function hostsBlock(names: readonly HostName[]): string {
    const lines = names.flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name} # kubelab`));
    return `{ grep -v ' # kubelab$' /etc/hosts || true; printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")}; } | put /etc/hosts 0644 root:root`;
}
