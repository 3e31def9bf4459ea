import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterAccess } from "../cli/cluster-access";
import { run } from "../cli/run";
import type { StackNode } from "../cli/stack";

/** An interface with its addresses, as `ip -json -details address` has it. */
export interface Link {
    readonly ifindex: number;
    readonly ifname: string;
    /** Of a pair: index of the other end, in the namespace `link_netnsid`. */
    readonly link_index?: number;
    readonly link_netnsid?: number;
    readonly flags: readonly string[];
    /** Bytes. */
    readonly mtu: number;
    readonly operstate: string;
    /** Name of the bridge that it is a port of. */
    readonly master?: string;
    /** Hardware address. */
    readonly address?: string;
    readonly linkinfo?: {
        /** `veth`, `bridge`, `vxlan`, `ipip`, `dummy`, … */
        readonly info_kind?: string;
        readonly info_data?: Readonly<Record<string, unknown>>;
    };
    readonly addr_info: readonly { readonly family: string; readonly local: string; readonly prefixlen: number }[];
}

/** As `ip -json route` has it. */
export interface Route {
    /** CIDR, an address, or `default`. */
    readonly dst: string;
    readonly gateway?: string;
    /** Missing for what is no way to anywhere: `unreachable`, `blackhole`. */
    readonly dev?: string;
    readonly type?: string;
    readonly table?: string;
    /** Who set it: a name of /etc/iproute2/rt_protos, or a number. */
    readonly protocol?: string;
    readonly scope?: string;
    readonly prefsrc?: string;
    readonly metric?: number;
}

/** As `ip -json rule` has it. */
export interface RoutingRule {
    readonly priority: number;
    readonly src: string;
    readonly srclen?: number;
    readonly dst?: string;
    readonly dstlen?: number;
    readonly fwmark?: string;
    readonly iif?: string;
    readonly table?: string;
}

export interface Neighbour {
    readonly dst: string;
    readonly dev: string;
    readonly lladdr?: string;
    /** `REACHABLE`, `STALE`, `FAILED`, … */
    readonly state: readonly string[];
}

/** A line of a bridge's forwarding table: behind which port a hardware address is. */
export interface ForwardingEntry {
    readonly mac: string;
    readonly ifname: string;
    readonly master?: string;
    /** Of a tunnel: the node behind which it is. */
    readonly dst?: string;
}

/** The network namespace of a pod on a machine. */
export interface PodNamespace {
    /** Name for `ip -n` and `ip netns exec`. */
    readonly namespace: string;
    /** When it was made: seconds since 1970. */
    readonly since: number;
    readonly links: readonly Link[];
    readonly routes: readonly Route[];
}

/** The network of one machine, as its kernel has it now. */
export interface MachineNetwork {
    readonly links: readonly Link[];
    readonly routes: readonly Route[];
    readonly rules: readonly RoutingRule[];
    readonly neighbours: readonly Neighbour[];
    readonly forwarding: readonly ForwardingEntry[];
    /** Values of `sysctl`; null where the kernel has no such setting. */
    readonly settings: Readonly<Record<string, string | null>>;
    readonly pods: readonly PodNamespace[];
}

const script = (): string => readFileSync(join(__dirname, "network.sh"), "utf8");

/** @throws Error with what the machine said where it can't be read. */
export async function readMachineNetwork(cluster: ClusterAccess, node: StackNode): Promise<MachineNetwork> {
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, script(), 30);
    return parsed(node.name, code, stdout, stderr);
}

/** The same of this host. It has no pods: its namespaces are the machines'. */
export async function readHostNetwork(): Promise<MachineNetwork> {
    const { code, stdout, stderr } = await run(["bash", "-s"], { input: script(), timeoutSeconds: 30 });
    return { ...parsed("this host", code, stdout, stderr), pods: [] };
}

function parsed(machine: string, code: number, stdout: string, stderr: string): MachineNetwork {
    if (code !== 0) {
        throw new Error(`the network of ${machine} can't be read: ${stderr.trim() || `exit code ${code}`}`);
    }
    return parseMachineNetwork(stdout);
}

/** What network.sh prints. */
export function parseMachineNetwork(text: string): MachineNetwork {
    const read = JSON.parse(text) as MachineNetwork;
    // Of an interface that another filter leaves out, `ip -json` prints an empty object.
    const links = (all: readonly Link[]): Link[] => all.filter(({ ifname }) => ifname !== undefined);
    return { ...read, links: links(read.links), pods: read.pods.map((pod) => ({ ...pod, links: links(pod.links) })) };
}

/** The namespace of the pod with an address, on the machine that it is on. */
export function podNamespace({ pods }: MachineNetwork, address: string): PodNamespace | undefined {
    return pods.find(({ links }) => links.some((link) => hasAddress(link, address)));
}

/** The machine's end of the pair of interfaces whose other end is the pod's. */
export function hostEnd(machine: MachineNetwork, pod: PodNamespace): Link | undefined {
    const own = pod.links.find(({ ifname, link_index }) => ifname !== "lo" && link_index !== undefined);
    return machine.links.find(({ ifindex }) => ifindex === own?.link_index);
}

export function hasAddress({ addr_info }: Link, address: string): boolean {
    return addr_info.some(({ local }) => local === address);
}
