import { WORD } from "./drawing/measures";
import type { Health, Model } from "./model";
import { type Element, element } from "./tree";

/** Signs of the states, for text; the drawing has its own. */
export const MARK: Readonly<Record<Health, string>> = { good: "✓", moving: "◔", bad: "✕", off: "–", unknown: "?" };

type Cell = string | Element;

/** All that the drawing has, and the rest, as tables: for those who don't see it, and for searching. */
export function lists(model: Model): Element[] {
    const { machines, pods, services, bridge } = model;
    const onMachines = <T>(of: (machine: Model["machines"][number]) => readonly T[]): (readonly [string, T])[] =>
        machines.flatMap((machine) => of(machine).map((each) => [machine.name, each] as const));
    return [
        table(
            "Machines",
            ["Machine", "Role", "Addresses", "Pod CIDR", "SSH", "Node"],
            machines.map((each) => [
                ...[each.name, each.role],
                each.addresses.length === 0 ? each.address : each.addresses.map(({ address }) => address).join(" "),
                each.podCidr ?? "none yet",
                state(each.health, each.state),
                state(each.node.health, each.node.cordoned ? `${each.node.state}, cordoned` : each.node.state),
            ]),
        ),
        table(
            "Units",
            ["Unit", "Machine", "State", "Restarts", "Since"],
            onMachines(({ units }) => units).map(([machine, { name, health, state: is, restarts, since }]) => [
                ...[name, machine, state(health, is), String(restarts), since ?? ""],
            ]),
        ),
        table(
            "Pods",
            ["Pod", "Namespace", "Node", "Address", "State", "Restarts"],
            pods.map(({ name, namespace, node = "none", address = "none", health, state: is, restarts }) => [
                ...[name, namespace, node, address, state(health, is), String(restarts)],
            ]),
        ),
        table(
            "Services",
            ["Service", "Namespace", "Type", "Address", "Ports", "Endpoints", "State"],
            services.map(({ name, namespace, type, address, ports, endpoints, health, state: is }) => [
                ...[name, namespace, type, address, ports.join(" ")],
                endpoints.map((each) => (each.ready ? each.address : `${each.address} (not ready)`)).join(" "),
                state(health, is),
            ]),
        ),
        table(
            "Bridges",
            ["Bridge", "Machine", "Addresses"],
            [
                ...(bridge === undefined ? [] : [[bridge.name, "this host", bridge.addresses.join(" ")]]),
                ...onMachines(({ bridges }) => bridges).map(([machine, { name, addresses }]) => [
                    ...[name, machine, addresses.join(" ")],
                ]),
            ],
        ),
        table(
            "Routes",
            ["Destination", "Machine", "Via", "Device"],
            onMachines(({ routes }) => routes).map(([machine, { destination, via = "", device }]) => [
                ...[destination, machine, via, device],
            ]),
        ),
    ];
}

function state(health: Health, text: string): Element {
    return element("span", { class: `state ${health}`, title: WORD[health] }, [
        element("span", { "aria-hidden": "true" }, [MARK[health]]),
        ` ${text}`,
    ]);
}

function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[]): Element {
    const id = `table-${caption.toLowerCase()}`;
    // Wide tables scroll, by keyboard too.
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, [
        element("table", { id }, [
            element("caption", {}, [`${caption} (${rows.length})`]),
            element("thead", {}, [
                element(
                    "tr",
                    {},
                    head.map((each) => element("th", { scope: "col" }, [each])),
                ),
            ]),
            element("tbody", {}, rows.map(tableRow)),
        ]),
    ]);
}

function tableRow([first = "", ...rest]: readonly Cell[]): Element {
    return element("tr", {}, [
        element("th", { scope: "row" }, [first]),
        ...rest.map((cell) => element("td", {}, [cell])),
    ]);
}
