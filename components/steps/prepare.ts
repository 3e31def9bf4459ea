import * as pulumi from "@pulumi/pulumi";
import type { Machine, ReadyMachine } from "../machines/machine";
import { putAll, putLines, recordLibrary } from "./script";
import { step } from "./step";

/** Kernel settings that routing pods' traffic needs, on every node. */
const SYSCTLS = [
    "# Nodes forward packets of pods.",
    "net.ipv4.ip_forward = 1",
    "# Packets that stay on a bridge pass the service rules too, else a pod can't reach a service that answers on its own node.",
    "net.bridge.bridge-nf-call-iptables = 1",
    "",
].join("\n");

/** Kernel modules that containers and their bridges need. */
const MODULES = ["overlay", "br_netfilter"];

/** Loads them where the kernel doesn't have them yet: built in, or loaded by the host of a local machine. */
function loadModules(): string {
    return `[[ -d /proc/sys/net/bridge && $(</proc/filesystems) == *overlay* ]] || modprobe -qa ${MODULES.join(" ")} || true`;
}

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
 * @param tools programs that this machine needs beside those of every node, with a Debian package of the same name.
 */
export function prepare(
    machine: Machine,
    names: pulumi.Input<readonly HostName[]>,
    parent: pulumi.Resource,
    { check = [], tools = [] }: { readonly check?: readonly string[]; readonly tools?: readonly string[] } = {},
): ReadyMachine {
    const { library = "brought" } = machine;
    const ready = step(
        `${machine.name}-ready`,
        {
            machine,
            library,
            script: pulumi.output(names).apply((all) => ({
                create: [
                    "once ready",
                    ...check,
                    requireTools(tools),
                    recordLibrary(library),
                    ...putAll([
                        { path: "/etc/modules-load.d/kubelab.conf", content: `${MODULES.join("\n")}\n` },
                        { path: "/etc/sysctl.d/90-kubelab.conf", content: SYSCTLS },
                    ]),
                    loadModules(),
                    "apply_sysctls /etc/sysctl.d/90-kubelab.conf || fail 'the kernel lacks br_netfilter or IP forwarding'",
                    putLines("/etc/hosts", hostLines(all)),
                ],
            })),
        },
        parent,
    );
    return { ...machine, ready };
}

/** Programs that nodes need beside the cluster's own parts, and Debian's packages of them. */
const TOOLS = {
    conntrack: "conntrack",
    curl: "curl",
    ethtool: "ethtool",
    ip: "iproute2",
    ipset: "ipset",
    iptables: "iptables",
    modprobe: "kmod",
    nft: "nftables",
    openssl: "openssl",
    socat: "socat",
    tar: "tar",
} as const;

/** Installs the tools that the machine lacks, as a cloud image may, and asks no package source where it has them all. */
function requireTools(more: readonly string[]): string {
    const list = [
        ...Object.entries(TOOLS).map(([tool, name]) => `${tool}:${name}`),
        ...more.map((tool) => `${tool}:${tool}`),
    ];
    return `packages=()
for tool in ${list.join(" ")}; do
    command -v "\${tool%%:*}" >/dev/null || packages+=("\${tool##*:}")
done
if [ "\${#packages[@]}" -gt 0 ]; then
    command -v apt-get >/dev/null || fail "this machine lacks \${packages[*]}: install them"
    export DEBIAN_FRONTEND=noninteractive
    # A new machine may be at its own updates.
    within 180 outside apt-get -q update || fail 'apt-get update does not work: are the package sources in reach?'
    outside apt-get -qy -o DPkg::Lock::Timeout=180 install --no-install-recommends "\${packages[@]}" >/dev/null ||
        fail "can't install \${packages[*]}"
fi`;
}

function hostLines(names: readonly HostName[]): string[] {
    return names.flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name}`));
}
