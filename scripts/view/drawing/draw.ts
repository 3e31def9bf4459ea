import type { Health } from "../model";
import { type Box, type Item, type Layout, type ServiceLine, type Wire } from "./items";
import { SIGN, STEP } from "./measures";
import { type Element, element } from "../tree";

/** What of a drawing is brought out. */
export interface Marks {
    /** Where a path passes, in its order, as far as it is lit. */
    readonly stops?: readonly PathStop[];
    /** Whether the path ends here without having arrived. */
    readonly broken?: boolean;
    readonly from?: string;
    readonly to?: string;
    /** The item that was selected: a service shows its endpoints. */
    readonly selected?: string;
}

/** A hop of a path at an item of the drawing. */
export interface PathStop {
    readonly id: string;
    /** Of the hop, from 1. */
    readonly number: number;
    readonly isReply: boolean;
}

/** The drawing of a layout. Items are groups with the attribute `data-id`; drawing.css gives them their looks. */
export function draw(layout: Layout, marks: Marks = {}): Element {
    const boxes = new Map(layout.items.map((item) => [item.id, item]));
    const machines = layout.items.filter(({ kind }) => kind === "machine" || kind === "host");
    const rest = layout.items.filter(({ kind }) => kind !== "machine" && kind !== "host");
    return element("g", {}, [
        element("g", { "aria-hidden": "true" }, layout.wires.filter(({ isInside }) => isInside !== true).map(wire)),
        ...machines.map((item) => drawItem(item, marks)),
        element(
            "g",
            { "aria-hidden": "true" },
            layout.captions.map(({ x, y, text }) => element("text", { x, y, class: "caption" }, [text])),
        ),
        element(
            "g",
            { "aria-hidden": "true" },
            layout.serviceLines
                .filter(({ service }) => service === marks.selected)
                .map((line) => serviceLine(line, boxes)),
        ),
        element("g", { "aria-hidden": "true" }, layout.wires.filter(({ isInside }) => isInside).map(wire)),
        ...rest.map((item) => drawItem(item, marks)),
        ...path(marks, boxes),
    ]);
}

function wire({ points, health }: Wire): Element {
    return element("polyline", { class: `wire ${health}`, points: points.map((point) => point.join(",")).join(" ") });
}

function drawItem(item: Item, { stops = [], from, to, selected }: Marks): Element {
    const names = [
        ...["item", item.kind, item.health],
        ...(stops.some(({ id }) => id === item.id) ? ["lit"] : []),
        ...(item.id === from ? ["from"] : []),
        ...(item.id === to ? ["to"] : []),
        ...(item.id === selected ? ["selected"] : []),
    ];
    return element("g", { class: names.join(" "), "data-id": item.id }, [
        element("title", {}, [item.label]),
        // The label has it in words. Spaces part the texts, for who reads them as one.
        element(
            "g",
            { "aria-hidden": "true" },
            SHAPES[item.kind](item).flatMap((shape) => [shape, " "]),
        ),
    ]);
}

const SHAPES: Readonly<Record<Item["kind"], (item: Item) => Element[]>> = {
    host: (item) => [
        plate(item, 10),
        written(item.x + 16, item.y + 24, "name", item.text),
        written(item.x + 16, item.y + 41, "detail", item.detail ?? ""),
    ],
    api: chip,
    bridge: (item) => [
        plate(item, 3),
        // Above the line, between what leads to the host and the first machine.
        written(item.x + 64, item.y - 10, "mono strong", item.text),
        written(item.x + 64 + (item.text.length + 2) * 7.3, item.y - 10, "mono muted", item.detail ?? ""),
    ],
    machine: (item) => [
        plate(item, 10),
        written(item.x + 16, item.y + 32, "name", item.text),
        written(item.x + 16, item.y + 49, "detail", item.detail ?? ""),
        ...pill(item),
    ],
    interface: (item) => [plate(item, 10), middle(item, "mono small")],
    unit: chip,
    route: (item) => [plate(item, 4), written(item.x + 6, item.y + 13, "mono small", item.text)],
    "pod-bridge": (item) => [
        plate({ x: item.x - 6, y: item.y - 4, width: item.width + 12, height: item.height + 8 }, 6),
        element("rect", { class: "bar", x: item.x, y: item.y + item.height - 4, width: item.width, height: 4, rx: 2 }),
        written(item.x, item.y + 10, "mono small strong", item.text),
    ],
    pod: (item) => [
        plate(item, 6),
        ...sign(item.health, item.x + STEP + SIGN / 2, item.y + item.height / 2),
        written(item.x + 2 * STEP + SIGN, item.y + 17, "mono", item.text),
        written(item.x + item.width - STEP, item.y + 17, "mono muted end", item.note ?? ""),
    ],
    service: (item) => [
        plate(item, 8),
        ...sign(item.health, item.x + STEP + 4 + SIGN / 2, item.y + item.height / 2),
        written(item.x + 2 * STEP + 6 + SIGN, item.y + 20, "mono strong", item.text),
        written(item.x + 2 * STEP + 6 + SIGN, item.y + 36, "mono small muted", item.detail ?? ""),
        written(item.x + item.width - STEP - 4, item.y + 20, "mono end", item.note ?? ""),
    ],
};

function plate({ x, y, width, height }: Box, radius: number): Element {
    return element("rect", { class: "plate", x, y, width, height, rx: radius });
}

function written(x: number, y: number, style: string, text: string): Element {
    return element("text", { x, y, class: style }, [text]);
}

function middle({ x, y, width, height, text }: Item, style: string): Element {
    return written(x + width / 2, y + height / 2 + 4, `${style} middle`, text);
}

function chip(item: Item): Element[] {
    return [
        plate(item, item.height / 2),
        ...sign(item.health, item.x + STEP + SIGN / 2, item.y + item.height / 2),
        written(item.x + 2 * STEP + SIGN - 2, item.y + item.height / 2 + 4.5, "mono", item.text),
    ];
}

/** The state of a machine's node, at the top right. */
function pill({ x, y, width, health, note = "" }: Item): Element[] {
    const wide = note.length * 7.3 + SIGN + 22;
    const left = x + width - 12 - wide;
    return [
        element("rect", { class: "pill", x: left, y: y + 16, width: wide, height: 24, rx: 12 }),
        ...sign(health, left + 8 + SIGN / 2, y + 28),
        written(left + 14 + SIGN, y + 32, "mono state", note),
    ];
}

const SIGNS: Readonly<Record<Health, string>> = {
    good: "M-3.2 0.2 L-0.9 2.6 L3.4 -2.2",
    bad: "M-2.6 -2.6 L2.6 2.6 M2.6 -2.6 L-2.6 2.6",
    moving: "M0 -3.4 L0 0.4 L2.6 1.8",
    off: "M-3 0 L3 0",
    unknown: "M-1.8 -1.4 C-1.8 -3.8 1.9 -3.8 1.9 -1.3 C1.9 0.4 0 0.2 0 1.4 M0 3.2 L0 3.3",
};

/** A state as a sign: a tick, a cross, a clock, a dash, a question mark. */
function sign(health: Health, x: number, y: number): Element[] {
    return [
        element("g", { class: `sign ${health}`, transform: `translate(${x} ${y})` }, [
            element("circle", { r: SIGN / 2 }),
            element("path", { d: SIGNS[health] }),
        ]),
    ];
}

function serviceLine({ service, target, ready }: ServiceLine, boxes: ReadonlyMap<string, Item>): Element {
    const [from, to] = [boxes.get(service), boxes.get(target)];
    if (from === undefined || to === undefined) {
        return element("g");
    }
    const [x1, y1] = [from.x + from.width / 2, from.y];
    const [x2, y2] = [to.x + to.width, to.y + Math.min(to.height / 2, 28)];
    const bend = `M${x1} ${y1} C${x1} ${y1 - 60} ${x2 + 60} ${y2 + 30} ${x2} ${y2}`;
    return element("path", { class: `service-line ${ready ? "good" : "bad"}`, d: bend });
}

/** The lit part of a path: a line there, a dashed one back, and at each item the number of its first hop. */
function path({ stops = [], broken = false }: Marks, boxes: ReadonlyMap<string, Item>): Element[] {
    const passed = stops.flatMap((stop) => {
        const item = boxes.get(stop.id);
        return item === undefined ? [] : [{ ...stop, ...anchor(item) }];
    });
    const line = (isReply: boolean): Element[] => {
        const points = passed.filter((stop) => stop.isReply === isReply);
        // The way back is beside the way there.
        const aside = isReply ? -7 : 0;
        return points.length < 2
            ? []
            : [
                  element("polyline", {
                      class: isReply ? "reply" : "request",
                      points: points.map(({ x, y }) => `${x + aside},${y}`).join(" "),
                  }),
              ];
    };
    const first = passed.filter(({ id }, index) => passed.findIndex((stop) => stop.id === id) === index);
    return passed.length === 0
        ? []
        : [
              element("g", { class: broken ? "path broken" : "path", "aria-hidden": "true" }, [
                  ...line(false),
                  ...line(true),
                  ...first.map(({ x, y, number }) =>
                      element("g", { class: "stop", transform: `translate(${x} ${y})` }, [
                          element("circle", { r: 9 }),
                          element("text", { y: 4, class: "middle" }, [String(number)]),
                      ]),
                  ),
              ]),
          ];
}

/** Where a path passes an item: at the left edge of rows, in the middle of what is small. */
function anchor(item: Item): { readonly x: number; readonly y: number } {
    const y = item.y + item.height / 2;
    switch (item.kind) {
        case "machine":
        case "host":
            return { x: item.x + item.width - 14, y: item.y + (item.kind === "host" ? y - item.y : 56) };
        case "bridge":
            return { x: item.x + item.width / 2, y };
        case "interface":
        case "api":
            return { x: item.x, y };
        case "unit":
        case "route":
        case "pod-bridge":
        case "pod":
        case "service":
            return { x: item.x + item.width + 4, y };
    }
}
