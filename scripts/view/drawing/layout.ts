import { type Health, idOf, type Machine, type Model, type Pod, type Service } from "../model";
import type { Caption, Item, Layout, ServiceLine, Wire } from "./items";
import { type MachineContent, placeMachine, placePod } from "./machine";
import { GAP, LINE, MARGIN, PADDING, ROW, shortened, SIGN, STEP, textWidth, WIDTH, WORD } from "./measures";

const HOST = 52;
/** From the bridge to the machines. */
const DROP = 44;
const COLUMNS = 3;
const SERVICE = 46;

/** The drawing of a lab: where everything is. The same model always gives the same drawing. */
export function layout(model: Model): Layout {
    const items: Item[] = [];
    const wires: Wire[] = [];
    const captions: Caption[] = [];
    let at = MARGIN;

    items.push(...placeHost(model, at));
    at += HOST;

    const columns = Math.min(COLUMNS, Math.max(1, model.machines.length));
    const width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
    for (let first = 0; first < model.machines.length; first += columns) {
        const row = model.machines.slice(first, first + columns);
        const wire = at + (first === 0 ? 44 : 20);
        wires.push(...feed(first === 0, at, wire, model));
        items.push(...bridgeItem(model, wire, first === 0));
        const top = wire + DROP;
        const contents = row.map((machine, column): MachineContent => {
            const x = MARGIN + column * (width + GAP);
            return placeMachine(machine, podsOn(model, machine), { x, y: top, width });
        });
        const height = Math.max(...contents.map((content) => content.height));
        row.forEach((machine, column) => {
            const x = MARGIN + column * (width + GAP);
            items.push({ ...machineItem(machine), x, y: top, width, height });
            items.push(interfaceItem(machine, x + width / 2, top));
            wires.push({
                points: [
                    [x + width / 2, wire],
                    [x + width / 2, top],
                ],
                health: cable(machine),
            });
        });
        for (const content of contents) {
            items.push(...content.items);
            wires.push(...content.wires);
            captions.push(...content.captions);
        }
        at = top + height;
    }

    at = placeHomeless(model, at, items, captions);
    at = placeServices(model.services, at, items, captions);
    return { width: WIDTH, height: at + MARGIN, items, wires, captions, serviceLines: serviceLines(model, items) };
}

function podsOn({ pods }: Model, { name }: Machine): Pod[] {
    return pods.filter(({ node }) => node === name);
}

function placeHost({ api, bridge, stack, podNetwork }: Model, y: number): Item[] {
    const host = bridge === undefined ? "workstation" : "this host";
    const place = { x: MARGIN, y, width: WIDTH - 2 * MARGIN, height: HOST };
    const text = `API ${api.address}`;
    const width = Math.ceil(textWidth(text)) + SIGN + 3 * STEP;
    return [
        {
            ...{ id: idOf.host, kind: "host", health: "good", label: `${host}, stack ${stack}`, ...place },
            ...{ text: host, detail: `stack ${stack}, pod network ${podNetwork}` },
        },
        {
            ...{ id: idOf.api, kind: "api", health: api.health, text, height: ROW, width },
            ...{ x: WIDTH - MARGIN - PADDING - width, y: y + (HOST - ROW) / 2 },
            label: `API server ${api.address}: ${api.state}, ${WORD[api.health]}`,
        },
    ];
}

/** What leads to a row's piece of the bridge. */
function feed(isFirst: boolean, from: number, wire: number, { bridge }: Model): Wire[] {
    const health: Health = bridge?.health === "bad" ? "bad" : "off";
    const x = isFirst ? MARGIN + 40 : MARGIN / 2;
    return isFirst
        ? [
              {
                  points: [
                      [x, from],
                      [x, wire],
                  ],
                  health,
              },
          ]
        : [
              {
                  points: [
                      [x, MARGIN + HOST + 44],
                      [x, wire],
                  ],
                  health,
              },
          ];
}

function bridgeItem({ bridge }: Model, y: number, isFirst: boolean): Item[] {
    const text = bridge === undefined ? "network between the machines" : `bridge ${bridge.name}`;
    const detail = bridge?.addresses.join(", ") ?? "";
    const health = bridge?.health ?? "good";
    return [
        {
            // Later rows have a piece of the same.
            ...{ id: isFirst ? idOf.bridge : `${idOf.bridge}:${y}`, kind: "bridge", health },
            ...{ x: MARGIN / 2, y: y - 3, width: WIDTH - MARGIN, height: 6 },
            text: isFirst ? text : "",
            detail: isFirst ? detail : "",
            label: `${text} ${detail}: ${health === "good" ? "there" : "not there"}`,
        },
    ];
}

function machineItem(machine: Machine): Omit<Item, "x" | "y" | "width" | "height"> {
    const { name, role, address, podCidr, health, state, node } = machine;
    const worst = health === "bad" ? health : node.health;
    const said = health === "bad" ? "no answer" : node.cordoned ? `${node.state}, cordoned` : node.state;
    return {
        ...{ id: idOf.machine(name), kind: "machine", health: worst, text: name, note: said },
        detail: `${role === "worker" ? "worker" : "control plane"}${podCidr === undefined ? "" : `, pods ${podCidr}`}`,
        label: `machine ${name}, ${role}, ${address}: ${state}; node ${node.state}; ${WORD[worst]}`,
    };
}

function interfaceItem(machine: Machine, x: number, y: number): Item {
    const device = machine.addresses.find(({ address }) => address.startsWith(`${machine.address}/`))?.device ?? "";
    const others = machine.addresses
        .filter((each) => each.device === device && !each.address.startsWith(`${machine.address}/`))
        .map(({ address }) => address.replace(/\/\d+$/, ""));
    const text = [device, machine.address, ...others].filter(Boolean).join(" · ");
    const width = Math.ceil(textWidth(text, 11)) + 2 * STEP;
    return {
        ...{ id: idOf.interface(machine.name), kind: "interface", health: cable(machine), text },
        ...{ x: x - width / 2, y: y - 10, width, height: 20 },
        label: `interface ${device || "of"} ${machine.name}: ${machine.address}${machine.attached === false ? ", not attached to the bridge" : ""}`,
    };
}

function cable({ attached, health }: Machine): Health {
    return attached === false ? "bad" : health === "bad" ? "bad" : "off";
}

/** Pods that the scheduler has no node for. */
function placeHomeless({ pods }: Model, top: number, items: Item[], captions: Caption[]): number {
    const homeless = pods.filter(({ node }) => node === undefined).slice(0, 12);
    if (homeless.length === 0) {
        return top;
    }
    const at = top + GAP + LINE;
    captions.push({ x: MARGIN, y: at, text: "pods without a node" });
    return grid(homeless, at + STEP, ROW, (pod, place) => items.push(placePod(pod, place)));
}

function placeServices(services: readonly Service[], top: number, items: Item[], captions: Caption[]): number {
    if (services.length === 0) {
        return top;
    }
    const at = top + GAP + LINE;
    captions.push({ x: MARGIN, y: at, text: "services" });
    return grid(services, at + STEP, SERVICE, (service, place) => {
        const { namespace, name, address, ports, endpoints, health, state } = service;
        const ready = endpoints.filter((each) => each.ready).length;
        const note = `${ready}/${endpoints.length}`;
        items.push({
            ...{ id: idOf.service(service), kind: "service", health, note, ...place },
            text: shortened(`${namespace}/${name}`, place.width - 80),
            detail: shortened(`${address} ${ports.join(" ")}`, place.width - 60, 11),
            label: `service ${namespace}/${name} at ${address}, ports ${ports.join(", ") || "none"}: ${state}, ${WORD[health]}`,
        });
    });
}

/** Places things in columns. @returns where the last row ends. */
function grid<T>(
    things: readonly T[],
    top: number,
    height: number,
    place: (thing: T, box: { x: number; y: number; width: number; height: number }) => void,
): number {
    const width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
    things.forEach((thing, index) => {
        const x = MARGIN + (index % COLUMNS) * (width + GAP);
        place(thing, { x, y: top + Math.floor(index / COLUMNS) * (height + STEP), width, height });
    });
    return top + Math.ceil(things.length / COLUMNS) * (height + STEP) - STEP;
}

/** Lines to endpoints that are in the drawing: pods, and machines where the API server listens. */
function serviceLines({ services, machines }: Model, items: readonly Item[]): ServiceLine[] {
    const ids = new Set(items.map(({ id }) => id));
    return services.flatMap((service) =>
        service.endpoints.flatMap(({ address, pod, ready }) => {
            const machine = machines.find((each) => each.address === address);
            const target = pod !== undefined ? `pod:${pod}` : machine && idOf.machine(machine.name);
            return target !== undefined && ids.has(target) ? [{ service: idOf.service(service), target, ready }] : [];
        }),
    );
}
