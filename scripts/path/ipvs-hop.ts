import type { IpvsService } from "../inspect/ipvs";
import { component } from "./owner";
import { show } from "./rule-hops";
import type { PacketHead } from "./trace";
import type { Hop, Loss } from "./types";
import { type Machine, serviceAt, whoIs, type World } from "./world";

/** The entry of a machine's IPVS table for a packet. */
export function ipvsEntry({ rules }: Machine, { protocol, destination }: PacketHead): IpvsService | undefined {
    return rules.ipvs.find(
        (each) => each.protocol === protocol && each.address === destination.address && each.port === destination.port,
    );
}

/** Whether services of a machine are IPVS's: it has a table with entries, or the interface with their addresses. */
export function usesIpvs({ rules, network }: Machine): boolean {
    return rules.ipvs.length > 0 || network.links.some(({ ifname }) => ifname === "kube-dummy-if");
}

/** What IPVS makes of a packet for a service. @param after as it leaves it; undefined where it does not. */
export function ipvsHop(
    world: World,
    machine: Machine,
    direction: Hop["direction"],
    before: PacketHead,
    after: PacketHead | undefined,
): Hop {
    const entry = ipvsEntry(machine, before);
    const owner = component("kube-router", machine.evidence);
    const servers = entry?.destinations.map(({ address, port }) => show({ address, port })) ?? [];
    const what =
        after === undefined
            ? `${show(before.destination)} goes to no pod`
            : `${whoIs(world, before.destination.address)}, destination ${show(before.destination)} → ` +
              `${show(after.destination)} (${whoIs(world, after.destination.address)}), ${entry?.scheduler ?? "one"} of ${servers.join(", ")}`;
    const lost = after === undefined ? ipvsLoss(world, before, entry) : undefined;
    return {
        ...{ leg: "connection", direction, machine: machine.name, place: "ipvs", name: show(before.destination), what },
        ...{ component: owner.component, set: owner.set, command: machine.command("cat /proc/net/ip_vs") },
        ...(after === undefined ? {} : { packet: { source: after.source, destination: after.destination } }),
        seen: true,
        ...(lost === undefined ? {} : { lost }),
    };
}

function ipvsLoss(world: World, { destination, protocol }: PacketHead, entry: IpvsService | undefined): Loss {
    const service = serviceAt(world, destination.address);
    const { namespace = "", name = destination.address } = service?.metadata ?? {};
    const remedy = world.kubectl(
        `-n ${namespace || "default"} get endpointslices -l kubernetes.io/service-name=${name}`,
    );
    if (entry === undefined) {
        return {
            why: `the IPVS table has no entry for ${protocol} ${show(destination)}`,
            should: `an entry for the service ${namespace}/${name}, set by kube-router`,
            remedy: world.kubectl("-n kube-system get pods -l k8s-app=kube-router -o wide"),
        };
    }
    const open = entry.destinations.filter(({ weight }) => weight > 0);
    return {
        why:
            open.length === 0
                ? `the IPVS entry of the service ${namespace}/${name} has no pod to send to`
                : "IPVS took it and sent it nowhere",
        should: `a ready pod of the service ${namespace}/${name}, as its EndpointSlice has it`,
        remedy,
    };
}
