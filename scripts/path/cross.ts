import { ownerOfRoute } from "./owner";
import { UNKNOWN } from "./facts";
import { isOwnBridge, isTunnel, wrongRoute } from "./expected";
import { type RouteAnswer, routeCommand, type RouteQuery, routeText } from "./routes";
import { ipvsHop, usesIpvs } from "./ipvs-hop";
import { ruleHop, same, show } from "./rule-hops";
import type { Crossing, PacketHead, Traversal } from "./trace";
import type { Hop, Loss } from "./types";
import { type Machine, whoIs, type World } from "./world";

/** A packet where a machine gets it. */
export interface Arrival {
    readonly packet: PacketHead;
    /** Interface that it comes by; missing for a process of the machine. */
    readonly input?: string;
}

/** What a machine makes of a packet. */
export interface Departure {
    readonly hops: readonly Hop[];
    readonly packet: PacketHead;
    /** `process`: it is for the machine itself. `lost`: the last hop says why. */
    readonly end: "interface" | "process" | "lost";
    readonly output?: string;
    /** The next hop's address, where the packet leaves by an interface. */
    readonly next?: string;
}

export interface CrossArgs {
    readonly world: World;
    readonly machine: Machine;
    readonly direction: Hop["direction"];
    readonly arrival: Arrival;
    /** What the kernel did; undefined where it was not seen. */
    readonly crossing: Crossing | undefined;
    /** The request's crossing that this is the answer to. */
    readonly answered?: Crossing | undefined;
    /** The connection works: nothing is lost. */
    readonly whole: boolean;
}

const BEFORE_ROUTE = new Set(["prerouting", "output"]);

/** The hops of a packet through one machine: rules before the route, the route, rules after it. */
export async function cross(args: CrossArgs): Promise<Departure> {
    const { world, machine, direction, crossing, whole } = args;
    const before = crossing?.entry?.packet ?? args.arrival.packet;
    const input = crossing?.entry === undefined ? args.arrival.input : before.input;
    const passed = crossing?.passed ?? [];
    const split = passed.findIndex(({ hook }) => !BEFORE_ROUTE.has(hook) && hook !== "");
    const early = split < 0 ? passed : passed.slice(0, split);
    const late = split < 0 ? [] : passed.slice(split);
    const exit = crossing?.exit;
    const hops: Hop[] = [];
    const dropped = (): boolean => hops.at(-1)?.lost !== undefined;

    const routed = late[0]?.packet ?? exit?.packet ?? untranslated(args, early, before);
    for (const [index, traversal] of early.entries()) {
        hops.push(
            ...ruleHop(world, machine, direction, traversal, after(traversal, early[index + 1]?.packet ?? routed)),
        );
        if (dropped()) {
            return { hops, packet: traversal.packet, end: "lost" };
        }
    }
    if (direction === "reply" && !same(before.destination, routed.destination)) {
        hops.push(reversed(machine, before, { ...before, destination: routed.destination }));
    }
    const bridged = exit?.packet.output !== undefined && exit.packet.output === input && isBridge(machine, input);
    const query: RouteQuery = {
        destination: routed.destination.address,
        ...(input === undefined ? {} : { source: before.source.address, input }),
    };
    const answer = await machine.routes(query);
    if (!bridged || !same(before.destination, routed.destination)) {
        const wrong = whole ? undefined : lostAtRoute(args, answer, routed, crossing);
        hops.push(...routingHops(args, query, answer, routed, wrong));
        if (wrong !== undefined) {
            return { hops, packet: routed, end: "lost" };
        }
    }
    const gone = exit?.packet ?? routed;
    let sent = answer;
    for (const [index, traversal] of late.entries()) {
        const next = late[index + 1]?.packet ?? gone;
        const leavesIpvs = traversal.hook === "input" && late[index + 1]?.hook !== "input" && exit?.chain !== "end";
        hops.push(
            ...ruleHop(world, machine, direction, traversal, leavesIpvs ? traversal.packet : after(traversal, next)),
        );
        if (dropped()) {
            return { hops, packet: traversal.packet, end: "lost" };
        }
        if (leavesIpvs && usesIpvs(machine) && late[index + 1] !== undefined) {
            hops.push(ipvsHop(world, machine, direction, traversal.packet, next));
            const again = { destination: next.destination.address };
            sent = await machine.routes(again);
            hops.push(...routingHops(args, again, sent, next, undefined));
        }
    }
    const stopped =
        crossing?.entry !== undefined && exit === undefined && "route" in answer && answer.route.type === "local";
    if (stopped && direction === "request" && usesIpvs(machine) && !whole) {
        hops.push(ipvsHop(world, machine, direction, routed, undefined));
        return { hops, packet: routed, end: "lost" };
    }
    if (direction === "reply" && !same(before.source, gone.source)) {
        hops.push(reversed(machine, { ...before, destination: gone.destination }, gone));
    }
    const isLocal = exit === undefined ? "route" in answer && answer.route.type === "local" : exit.chain === "end";
    if (isLocal) {
        return { hops, packet: gone, end: "process" };
    }
    const output = exit?.packet.output ?? ("route" in sent ? sent.route.dev : undefined);
    const next = "route" in sent ? (sent.route.gateway ?? gone.destination.address) : gone.destination.address;
    return { hops, packet: gone, end: "interface", next, ...(output === undefined ? {} : { output }) };
}

/** The packet after a chain: as it is before the next one, or as its rules say where nothing saw it again. */
function after(traversal: Traversal, next: PacketHead): PacketHead {
    return traversal.packet.output === undefined || next.output !== undefined ? next : traversal.packet;
}

/** The packet after the rules before the route, where no one saw it later: by what the rules say, or by the connection's entry. */
function untranslated({ direction, answered }: CrossArgs, early: readonly Traversal[], before: PacketHead): PacketHead {
    if (direction === "reply") {
        return { ...before, destination: answered?.entry?.packet.source ?? before.destination };
    }
    const text = early.flatMap(({ rules }) => rules.map((rule) => rule.text)).join(" ");
    const [, address, port] = /dnat (?:ip )?to (\d+(?:\.\d+){3})(?::(\d+))?/.exec(text) ?? [];
    return address === undefined
        ? before
        : { ...before, destination: { address, port: port === undefined ? before.destination.port : Number(port) } };
}

function isBridge(machine: Machine, name: string | undefined): boolean {
    return name !== undefined && isOwnBridge(machine, { dst: "", dev: name });
}

function lostAtRoute(
    { world, machine, direction }: CrossArgs,
    answer: RouteAnswer,
    routed: PacketHead,
    crossing: Crossing | undefined,
): Loss | undefined {
    const wrong = wrongRoute(world, machine, routed.destination.address, answer);
    if (wrong !== undefined) {
        return wrong;
    }
    if ("refused" in answer) {
        return {
            why: `the kernel refuses to route it: ${answer.refused}`,
            should: `a route to ${routed.destination.address}, and one back to ${routed.source.address} by the interface that it came by`,
        };
    }
    const stopped = crossing?.entry !== undefined && crossing.exit === undefined;
    const dropped = crossing?.passed.some(({ verdict }) => verdict === "drop") === true;
    if (!stopped || dropped || answer.route.type === "local") {
        return undefined;
    }
    const forwarding = machine.network.settings["net.ipv4.ip_forward"];
    if (forwarding === "0" && crossing.entry?.packet.input !== undefined) {
        return {
            why: "this machine does not forward packets: net.ipv4.ip_forward is 0",
            should: "net.ipv4.ip_forward = 1",
            remedy: machine.command("sysctl -w net.ipv4.ip_forward=1"),
        };
    }
    const legacy = Object.keys(machine.rules.legacy);
    return {
        why:
            `the kernel took the ${direction} in and let it go nowhere` +
            (legacy.length === 0
                ? ""
                : `; rules of iptables-legacy, which it does not trace, are in ${legacy.join(", ")}`),
        should: `it leaves by ${answer.route.dev ?? "an interface"}`,
        remedy: machine.command(legacy.length === 0 ? "nstat -az | grep -i drop" : "iptables-legacy-save"),
    };
}

function routingHops(
    { world, machine, direction, crossing }: CrossArgs,
    query: RouteQuery,
    answer: RouteAnswer,
    packet: PacketHead,
    lost: Loss | undefined,
): Hop[] {
    const seen = crossing?.exit !== undefined;
    const common = {
        leg: "connection",
        direction,
        machine: machine.name,
        seen,
        command: machine.command(routeCommand(query)),
    } as const;
    const ends = lost === undefined ? {} : { lost };
    const carried = { packet: { source: packet.source, destination: packet.destination } };
    if ("refused" in answer) {
        return [
            {
                ...common,
                ...{ place: "route", name: packet.destination.address, what: `no route: ${answer.refused}` },
                ...{ component: "kernel", set: UNKNOWN, ...carried, ...ends },
            },
        ];
    }
    const { entry, route } = answer;
    const table = entry.table ?? route.table;
    const special = table === undefined || table === "main" || table === "local" ? undefined : table;
    const rule = machine.network.rules.find((each) => each.table === special);
    const owner =
        route.type === "local"
            ? { component: `kernel, for the address of this machine`, set: UNKNOWN }
            : ownerOfRoute(entry, machine.evidence);
    return [
        ...(special === undefined
            ? []
            : [
                  {
                      ...common,
                      ...{ place: "routing-rule" as const, name: `${rule?.priority ?? "?"}` },
                      what: `from ${rule?.src ?? "all"}${rule?.srclen === undefined ? "" : `/${rule.srclen}`}: table ${special}`,
                      ...{ component: owner.component, set: UNKNOWN },
                      command: machine.command("ip rule"),
                  },
              ]),
        {
            ...common,
            place: "route",
            name: routeText(entry),
            what:
                route.type === "local"
                    ? `${packet.destination.address} is this machine's own`
                    : `to ${whoIs(world, packet.destination.address)}: ${route.gateway === undefined ? "on the segment" : `next hop ${whoIs(world, route.gateway)}`}, by ${route.dev ?? "no interface"}${isTunnel(machine, route.dev) ? ", a tunnel" : ""}`,
            component: owner.component,
            set: owner.set,
            ...carried,
            ...ends,
        },
    ];
}

/** What connection tracking does to answers without a rule: it takes back what a rule did to the request. */
function reversed(machine: Machine, before: PacketHead, now: PacketHead): Hop {
    const changes = [
        ...(same(before.source, now.source) ? [] : [`source ${show(before.source)} → ${show(now.source)}`]),
        ...(same(before.destination, now.destination)
            ? []
            : [`destination ${show(before.destination)} → ${show(now.destination)}`]),
    ];
    return {
        leg: "connection",
        direction: "reply",
        machine: machine.name,
        place: "rule",
        name: "connection tracking",
        what: `takes the translation of the request back: ${changes.join(", ")}`,
        component: "kernel",
        set: { of: "with the request" },
        command: machine.command(
            `conntrack -L -p ${before.protocol.toLowerCase()} --reply-src ${before.source.address} --reply-port-src ${before.source.port}`,
        ),
        packet: { source: now.source, destination: now.destination },
        seen: true,
    };
}
