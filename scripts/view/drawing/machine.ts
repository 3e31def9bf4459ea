import { idOf, type Machine, type Pod } from "../model";
import type { Box, Caption, Item, Wire } from "./items";
import { CHIP, LINE, PADDING, ROW, shortened, SIGN, STEP, textWidth, WORD } from "./measures";

/** What is in a machine's box, below its top left corner. */
export interface MachineContent {
    readonly items: readonly Item[];
    readonly wires: readonly Wire[];
    readonly captions: readonly Caption[];
    readonly height: number;
}

/** Rows of pods that are drawn; lists have all. */
const MOST_PODS = 16;

/** Places what is in a machine's box whose top left corner is at `x`, `y`. */
export function placeMachine(
    machine: Machine,
    pods: readonly Pod[],
    { x, y, width }: Omit<Box, "height">,
): MachineContent {
    const items: Item[] = [];
    const wires: Wire[] = [];
    const captions: Caption[] = [];
    const left = x + PADDING;
    const inner = width - 2 * PADDING;
    let at = y + 78;

    captions.push({ x: left, y: at, text: "units" });
    at += STEP;
    const chips = placeChips(machine, { x: left, y: at, width: inner });
    items.push(...chips.items);
    at += chips.height + STEP + LINE;

    const ways = machine.routes.filter(({ destination, via, device }) => isWay(destination, via, device));
    if (ways.length > 0) {
        captions.push({ x: left, y: at, text: "routes to other nodes' pods" });
        at += STEP;
        for (const { destination, via, device } of ways) {
            const text = `${destination} → ${via ?? device}`;
            const label = `route on ${machine.name}: ${destination} via ${via ?? device}`;
            const place = { x: left, y: at, width: inner, height: LINE };
            items.push({
                ...{ id: idOf.route(machine.name, destination), kind: "route", label, text, ...place },
                health: machine.health === "good" ? "good" : "unknown",
            });
            at += LINE;
        }
        at += STEP + LINE;
    }

    const own = pods.filter(({ hostNetwork }) => !hostNetwork);
    const [bridge] = machine.bridges;
    if (bridge !== undefined) {
        const text = [bridge.name, ...bridge.addresses].join(" ");
        items.push({
            ...{ id: idOf.podBridge(machine.name, bridge.name), kind: "pod-bridge", x: left, y: at - 8, width: inner },
            ...{ height: LINE, text, label: `bridge of the pods on ${machine.name}: ${bridge.addresses.join(", ")}` },
            health: machine.health === "good" ? "good" : "unknown",
        });
        at += LINE;
    } else if (own.length > 0) {
        captions.push({ x: left, y: at, text: "pods" });
        at += STEP;
    }
    const bar = at - STEP;
    const indent = bridge === undefined ? 0 : 16;
    for (const pod of shown(own)) {
        items.push(placePod(pod, { x: left + indent, y: at, width: inner - indent, height: ROW }));
        if (bridge !== undefined) {
            const end = at + ROW / 2;
            wires.push(stem(left + 6, bar, end, left + indent));
        }
        at += ROW + 4;
    }
    at = more(own, left + indent, at, captions);
    const shared = pods.filter(({ hostNetwork }) => hostNetwork);
    if (shared.length > 0) {
        at += LINE;
        captions.push({ x: left, y: at, text: "pods with the machine's address" });
        at += STEP;
        for (const pod of shown(shared)) {
            items.push(placePod(pod, { x: left, y: at, width: inner, height: ROW }));
            at += ROW + 4;
        }
        at = more(shared, left, at, captions);
    }
    return { items, wires, captions, height: at - y + PADDING - 4 };
}

/** From a bridge down and to a pod. */
function stem(x: number, top: number, bottom: number, right: number): Wire {
    return {
        points: [
            [x, top],
            [x, bottom],
            [right, bottom],
        ],
        health: "off",
        isInside: true,
    };
}

/** Whether a route leads to pods elsewhere: it has a next hop or a tunnel, and isn't the default one. */
function isWay(destination: string, via: string | undefined, device: string): boolean {
    return destination.includes("/") && (via !== undefined || /^(flannel|tun|vxlan)/.test(device));
}

/** What is broken first, so that it is never left out. */
function shown(pods: readonly Pod[]): readonly Pod[] {
    const broken = pods.filter(({ health }) => health !== "good");
    const kept = new Set([...broken, ...pods].slice(0, MOST_PODS));
    return pods.filter((pod) => kept.has(pod) || pods.length <= MOST_PODS);
}

function more(pods: readonly Pod[], x: number, at: number, captions: Caption[]): number {
    if (pods.length <= MOST_PODS) {
        return at;
    }
    captions.push({ x, y: at + 12, text: `and ${pods.length - MOST_PODS} more in the list` });
    return at + LINE;
}

function placePod(pod: Pod, place: Box): Item {
    const { namespace, name, node, address, health, state } = pod;
    const note = health === "good" || health === "off" ? (address ?? "") : state;
    const room = place.width - SIGN - 4 * STEP - textWidth(note);
    const where = node === undefined ? "on no node" : `on ${node}`;
    return {
        ...{ id: idOf.pod(pod), kind: "pod", health, text: shortened(name, room), note, ...place },
        label: `pod ${namespace}/${name} ${where}, ${address ?? "no address"}: ${state}, ${WORD[health]}`,
    };
}

export { placePod };

function placeChips(
    machine: Machine,
    { x, y, width }: Omit<Box, "height">,
): { readonly items: Item[]; readonly height: number } {
    const items: Item[] = [];
    let [across, down] = [0, 0];
    for (const { name, health, state, restarts } of machine.units) {
        const wide = Math.ceil(textWidth(name)) + SIGN + 3 * STEP - 2;
        if (across > 0 && across + wide > width) {
            [across, down] = [0, down + CHIP + 6];
        }
        const again = restarts > 0 ? `, restarted ${restarts} times` : "";
        items.push({
            ...{ id: idOf.unit(machine.name, name), kind: "unit", health, text: name },
            ...{ x: x + across, y: y + down, width: wide, height: CHIP },
            label: `unit ${name} on ${machine.name}: ${state}${again}, ${WORD[health]}`,
        });
        across += wide + 6;
    }
    return { items, height: items.length === 0 ? 0 : down + CHIP };
}
