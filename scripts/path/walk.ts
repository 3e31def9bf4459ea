import { UNKNOWN } from "./facts";
import { BRIDGES, isOwnBridge, isTunnel, wrongRoute } from "./expected";
import { cross } from "./cross";
import { cameFrom, fromPod, toPod } from "./local-hops";
import type { RouteAnswer } from "./routes";
import { ruleHop, show } from "./rule-hops";
import type { Crossing, PacketHead } from "./trace";
import type { Hop, Loss } from "./types";
import { type Machine, machineAt, machineNamed, nodeOfPodAddress, podAt, type World } from "./world";

/** Where a packet begins. */
export interface Start {
    readonly machine: Machine;
    readonly packet: PacketHead;
    /** It is a pod's of this machine, and not the machine's own. */
    readonly isPod: boolean;
}

/** Where a packet has come to. */
export interface Walked {
    readonly hops: readonly Hop[];
    readonly end: "pod" | "process" | "outside" | "lost";
    readonly machine: Machine;
    /** As it was there. */
    readonly packet: PacketHead;
    /** By machine, what was made of it, in order. */
    readonly crossed: readonly { readonly machine: string; readonly crossing: Crossing | undefined }[];
}

/** Machines that a packet may pass before it goes in a circle. */
const LONGEST = 8;

/**
 * Follows a packet from machine to machine.
 *
 * @param whole the connection works: nothing is lost on the way.
 * @param answered the request's walk, where this is the answer's.
 */
export async function walk(
    world: World,
    direction: Hop["direction"],
    start: Start,
    whole: boolean,
    answered?: Walked,
): Promise<Walked> {
    const hops: Hop[] = [];
    const crossed: { machine: string; crossing: Crossing | undefined }[] = [];
    const used = new Map<string, number>();
    const take = (machine: Machine): Crossing | undefined => {
        const at = used.get(machine.name) ?? 0;
        used.set(machine.name, at + 1);
        return machine.crossings?.[direction][at];
    };
    let { machine, packet } = start;
    let input: string | undefined;
    if (start.isPod) {
        const { address } = packet.source;
        const pod = podAt(world, address, machine.name);
        const seen = cameFrom(machine, address, machine.crossings?.[direction][0]?.entry?.packet);
        hops.push(...fromPod({ world, machine, direction, pod, address, packet, seen }));
        input = BRIDGES[world.podNetwork];
    } else if (direction === "request") {
        hops.push(ownProcess(machine, direction, packet));
    }
    for (let step = 0; step < LONGEST; step += 1) {
        const crossing = take(machine);
        crossed.push({ machine: machine.name, crossing });
        if (!whole && crossing === undefined && machine.crossings !== undefined && step > 0) {
            return lostBefore(machine);
        }
        if (!whole && crossing === undefined && machine.crossings !== undefined && start.isPod && step === 0) {
            return stayed(await machine.routes({ destination: packet.destination.address }));
        }
        if (step > 0) {
            hops.push(arrives(machine, direction, input, crossing));
        }
        const answeredHere = answered?.crossed.find((each) => each.machine === machine.name)?.crossing;
        const done = await cross({
            ...{ world, machine, direction, crossing, whole, answered: answeredHere },
            arrival: { packet, ...(input === undefined ? {} : { input }) },
        });
        hops.push(...done.hops);
        packet = done.packet;
        if (done.end === "lost" || done.end === "process") {
            return { hops, end: done.end, machine, packet, crossed };
        }
        const { output, next = packet.destination.address } = done;
        if (
            isOwnBridge(machine, { dst: "", ...(output === undefined ? {} : { dev: output }) }) &&
            output !== world.hostBridge
        ) {
            return { hops, end: "pod", machine, packet, crossed };
        }
        const tunnel = isTunnel(machine, output);
        const to = tunnel
            ? machineNamed(world, nodeOfPodAddress(world, packet.destination.address)?.name)
            : machineAt(world, next);
        if (tunnel) {
            hops.push(tunnelHop(machine, direction, output ?? "", packet, to));
        }
        if (to === undefined || to.name === machine.name) {
            hops.push(beyond(machine, direction, packet, crossing !== undefined));
            return { hops, end: "outside", machine, packet, crossed };
        }
        if (world.hostBridge !== undefined && machine.name !== "here" && to.name !== "here") {
            const host = hostBridge(world, direction, packet, take);
            hops.push(...host);
            if (host.at(-1)?.lost !== undefined) {
                return { hops, end: "lost", machine, packet, crossed };
            }
        }
        input = tunnel ? output : (machineInterface(to) ?? "eth0");
        machine = to;
    }
    return lostBefore(machine, "it goes in a circle");

    /** The kernel of the machine has seen nothing of what the pod sent. */
    function stayed(answer: RouteAnswer): Walked {
        const { address } = packet.destination;
        const nothing: Loss = {
            why: `nothing of it came out of the pod: it has no route to ${address}, or nobody on its segment has that address`,
            should: "a default route in the pod, and the next hop on its bridge",
            remedy: machine.command("ip -all netns exec ip -4 neighbour"),
        };
        return lostAt(wrongRoute(world, machine, address, answer) ?? nothing, machine);
    }

    function lostAt(loss: Loss, at: Machine): Walked {
        const last = hops.pop();
        return {
            hops: [...hops, ...(last === undefined ? [] : [{ ...last, lost: loss }])],
            ...{ end: "lost", machine: at, packet, crossed },
        };
    }

    function lostBefore(to: Machine, why = `it left and did not arrive at ${to.name}`): Walked {
        const loss: Loss = {
            why,
            should: `${to.name} up, and on one network with the machine before it`,
            remedy: to.command("ip -brief address"),
        };
        return lostAt(loss, to);
    }
}

/** The hops at the end of a request: the pod, or the process of a machine. */
export function arrivalHops(world: World, { end, machine, packet }: Walked, lost: Loss | undefined): Hop[] {
    const direction = "request";
    const { address } = packet.destination;
    if (end === "pod") {
        const pod = podAt(world, address, machine.name);
        const seen = cameFrom(machine, address, machine.crossings?.reply[0]?.entry?.packet);
        return toPod({ world, machine, direction, pod, address, packet, seen }, lost);
    }
    return end === "process" ? [listener(machine, direction, packet, lost)] : [];
}

/** The same of an answer: to where the request began. */
export function homeHops(world: World, { end, machine, packet }: Walked): Hop[] {
    const direction = "reply";
    const { address } = packet.destination;
    if (end === "pod") {
        const pod = podAt(world, address, machine.name);
        return toPod({ world, machine, direction, pod, address, packet, seen: true }, undefined);
    }
    return end === "process" ? [ownProcess(machine, direction, packet)] : [];
}

function ownProcess(machine: Machine, direction: Hop["direction"], packet: PacketHead): Hop {
    const verb = direction === "request" ? "sends" : "gets";
    return {
        leg: "connection",
        direction,
        machine: machine.name,
        place: "process",
        name: machine.name === "here" ? "this host" : machine.name,
        what: `${verb} ${packet.protocol} ${show(packet.source)} → ${show(packet.destination)}`,
        component: "the probe",
        set: UNKNOWN,
        packet: { source: packet.source, destination: packet.destination },
        seen: true,
    };
}

function listener(machine: Machine, direction: Hop["direction"], packet: PacketHead, lost: Loss | undefined): Hop {
    const { port } = packet.destination;
    return {
        leg: "connection",
        direction,
        machine: machine.name,
        place: "process",
        name: `${machine.name}, port ${port}`,
        what: `a process of ${machine.name} itself gets ${packet.protocol} ${show(packet.source)} → ${show(packet.destination)}`,
        component: "whatever listens there",
        set: UNKNOWN,
        command: machine.command(`ss -H${packet.protocol === "TCP" ? "t" : "u"}lnp sport = :${port}`),
        packet: { source: packet.source, destination: packet.destination },
        seen: lost === undefined,
        ...(lost === undefined ? {} : { lost }),
    };
}

function arrives(
    machine: Machine,
    direction: Hop["direction"],
    input: string | undefined,
    crossing: Crossing | undefined,
): Hop {
    const packet = crossing?.entry?.packet;
    const name = packet?.input ?? input ?? "eth0";
    return {
        leg: "connection",
        direction,
        machine: machine.name,
        place: isTunnel(machine, name) ? "tunnel" : "interface",
        name,
        what: `arrives at ${machine.name}`,
        component: machine.name === "here" ? "this host" : "the machine",
        set: UNKNOWN,
        command: machine.command(`ip address show ${name}`),
        ...(packet === undefined ? {} : { packet: { source: packet.source, destination: packet.destination } }),
        seen: crossing !== undefined,
    };
}

function tunnelHop(
    machine: Machine,
    direction: Hop["direction"],
    name: string,
    packet: PacketHead,
    to: Machine | undefined,
): Hop {
    const link = machine.network.links.find(({ ifname }) => ifname === name);
    const kind = link?.linkinfo?.info_kind ?? "tunnel";
    const data = link?.linkinfo?.info_data ?? {};
    const outer = kind === "vxlan" ? `UDP port ${typeof data["port"] === "number" ? data["port"] : "?"}` : "IP-in-IP";
    return {
        leg: "connection",
        direction,
        machine: machine.name,
        place: "tunnel",
        name,
        what: `${kind}: puts it into ${outer}, ${machine.address} → ${to?.address ?? "?"}, MTU ${link?.mtu ?? "?"}`,
        component: kind === "vxlan" ? "flannel" : "kube-router",
        set: UNKNOWN,
        command: machine.command(kind === "vxlan" ? `bridge fdb show dev ${name}` : `ip -details link show ${name}`),
        packet: { source: packet.source, destination: packet.destination },
        seen: true,
    };
}

/** The bridge on this host that the machines of a local lab are on, and this host's rules for what passes it. */
function hostBridge(
    world: World,
    direction: Hop["direction"],
    packet: PacketHead,
    take: (machine: Machine) => Crossing | undefined,
): Hop[] {
    const host = machineNamed(world, "here");
    const crossing = host === undefined ? undefined : take(host);
    const name = world.hostBridge ?? "";
    const hop: Hop = {
        leg: "connection",
        direction,
        machine: "here",
        place: "host-bridge",
        name,
        what: "the segment of the lab's machines, on this host",
        component: "kubelab",
        set: UNKNOWN,
        command: `bridge fdb show br ${name}`,
        packet: { source: packet.source, destination: packet.destination },
        seen: crossing !== undefined,
    };
    const passed = crossing?.passed ?? [];
    const rules =
        host === undefined
            ? []
            : passed.flatMap((each, index) =>
                  ruleHop(world, host, direction, each, passed[index + 1]?.packet ?? each.packet),
              );
    return [hop, ...rules];
}

function beyond(machine: Machine, direction: Hop["direction"], packet: PacketHead, seen: boolean): Hop {
    return {
        leg: "connection",
        direction,
        machine: "outside",
        place: "outside",
        name: packet.destination.address,
        what: `beyond ${machine.name === "here" ? "this host" : machine.name}, on the way to ${packet.destination.address}`,
        component: "not of this cluster",
        set: UNKNOWN,
        packet: { source: packet.source, destination: packet.destination },
        seen,
    };
}

/** The interface with a machine's address. */
function machineInterface({ network, address }: Machine): string | undefined {
    return network.links.find(({ addr_info }) => addr_info.some(({ local }) => local === address))?.ifname;
}
