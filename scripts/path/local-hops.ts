import { hostEnd, podNamespace } from "../inspect/network";
import type { Pod } from "../inspect/objects";
import { lastSet, setAt, UNKNOWN } from "./facts";
import { show } from "./rule-hops";
import type { PacketHead } from "./trace";
import type { Hop, Loss } from "./types";
import type { Machine, World } from "./world";

interface PodHopsArgs {
    readonly world: World;
    readonly machine: Machine;
    readonly direction: Hop["direction"];
    readonly pod: Pod | undefined;
    /** The pod's. */
    readonly address: string;
    readonly packet: PacketHead;
    /** Whether the packet was seen to come from the pod, or an answer to it was. */
    readonly seen: boolean;
}

/** Whether a packet came by the pod's interface: it has its hardware address. */
export function cameFrom({ network }: Machine, address: string, packet: PacketHead | undefined): boolean {
    const links = podNamespace(network, address)?.links ?? [];
    return links.some((link) => link.address !== undefined && link.address === packet?.sourceHardware);
}

/** Between a pod and its machine, from the pod: the pod, its pair of interfaces, the bridge. */
export function fromPod(args: PodHopsArgs): Hop[] {
    return hops(args, `sends ${args.packet.protocol} ${show(args.packet.source)} → ${show(args.packet.destination)}`);
}

/** The same to a pod. The last hop says why it is lost there, where it is. */
export function toPod(args: PodHopsArgs, lost: Loss | undefined): Hop[] {
    const all = hops(
        args,
        `gets ${args.packet.protocol} ${show(args.packet.source)} → ${show(args.packet.destination)}`,
    );
    const [podHop, veth, bridge] = all;
    const failed = unanswered(args, bridge?.name);
    const end = podHop === undefined ? [] : [lost === undefined ? podHop : { ...podHop, lost }];
    if (failed !== undefined && lost !== undefined && bridge !== undefined) {
        return [{ ...bridge, seen: true, lost: failed }];
    }
    return [...(bridge === undefined ? [] : [bridge]), ...(veth === undefined ? [] : [veth]), ...end];
}

/** Whether nobody on the bridge has said that the address is theirs. */
function unanswered({ machine, address, pod }: PodHopsArgs, bridge: string | undefined): Loss | undefined {
    const neighbour = machine.network.neighbours.find(({ dst, dev }) => dst === address && dev === bridge);
    const silent = neighbour?.state.some((state) => state === "FAILED" || state === "INCOMPLETE") === true;
    return !silent
        ? undefined
        : {
              why: `nobody on ${bridge ?? "the bridge"} has the address ${address}: ARP is not answered`,
              should:
                  pod === undefined
                      ? "a pod with this address"
                      : `the interface of ${title(pod)}, on the bridge and up`,
              remedy: machine.command(`bridge link show`),
          };
}

function title({ metadata }: Pod): string {
    return `pod ${metadata.namespace ?? ""}/${metadata.name}`;
}

function hops({ machine, direction, pod, address, packet, seen }: PodHopsArgs, what: string): Hop[] {
    const namespace = podNamespace(machine.network, address);
    const link = namespace === undefined ? undefined : hostEnd(machine.network, namespace);
    const inside = namespace?.links.find(({ addr_info }) => addr_info.some(({ local }) => local === address));
    const common = {
        leg: "connection",
        direction,
        machine: machine.name,
        seen,
        packet: { source: packet.source, destination: packet.destination },
    } as const;
    const gateway = namespace?.routes.find(({ dst }) => dst === "default")?.gateway;
    const podHop: Hop = {
        ...common,
        place: "pod",
        name: pod === undefined ? address : `${pod.metadata.namespace ?? ""}/${pod.metadata.name}`,
        what: `${what}${gateway === undefined || direction === "reply" ? "" : `; its gateway is ${gateway}`}`,
        component: "kubelet, containerd",
        set: setAt(pod?.status.startTime, "start of the pod"),
        ...(namespace === undefined ? {} : { command: machine.command(`ip -n ${namespace.namespace} route`) }),
    };
    if (link === undefined) {
        return [podHop];
    }
    const veth: Hop = {
        ...common,
        place: "veth",
        name: link.ifname,
        what: `pair: ${inside?.ifname ?? "eth0"} in the pod, ${link.ifname} on ${machine.name}${link.master === undefined ? "" : `, a port of ${link.master}`}`,
        component: "CNI plugin bridge, called by containerd",
        set: lastSet(namespace?.since, "the pod's network namespace"),
        command: machine.command(`ip -details link show ${link.ifname}`),
    };
    const bridge = machine.network.links.find(({ ifname }) => ifname === link.master);
    const ownAddress = bridge?.addr_info.find(({ family }) => family === "inet")?.local;
    return [
        podHop,
        veth,
        ...(bridge === undefined
            ? []
            : [
                  {
                      ...common,
                      place: "bridge" as const,
                      name: bridge.ifname,
                      what: `the segment of the pods of ${machine.name}${ownAddress === undefined ? "" : `, their gateway ${ownAddress}`}`,
                      component: "CNI plugin bridge, called by containerd",
                      set: UNKNOWN,
                      command: machine.command(`bridge fdb show br ${bridge.ifname}`),
                  },
              ]),
    ];
}
