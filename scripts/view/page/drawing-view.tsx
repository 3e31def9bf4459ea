import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { draw, type Marks } from "../drawing/draw";
import type { Item, Layout } from "../drawing/items";
import type { Element } from "../tree";
import { toElement } from "./elements";

interface Props {
    readonly layout: Layout;
    readonly marks: Marks;
    readonly onChoose: (id: string) => void;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
};

/** The drawing as elements of the document. One Tab gets into it; arrow keys move in it, and Enter chooses. */
export function DrawingView({ layout, marks, onChoose }: Props): JSX.Element {
    const [current, setCurrent] = useState(layout.items[0]?.id ?? "");
    const group = useRef<SVGSVGElement>(null);
    const items = layout.items.filter(({ label }) => label !== "");
    const entry = items.some(({ id }) => id === current) ? current : (items[0]?.id ?? "");

    const moveTo = (id: string): void => {
        setCurrent(id);
        group.current?.querySelector<SVGGElement>(`[data-id="${CSS.escape(id)}"]`)?.focus();
    };
    const onKeyDown = (event: KeyboardEvent, item: Item): void => {
        const direction = ARROWS[event.key];
        if (direction !== undefined) {
            event.preventDefault();
            const next = nearest(items, item, direction);
            if (next !== undefined) {
                moveTo(next.id);
            }
        } else if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            onChoose(item.id);
        }
    };
    const byId = new Map(items.map((item) => [item.id, item]));
    const handlers = (attributes: Element["attributes"]): Readonly<Record<string, unknown>> => {
        const item = byId.get(String(attributes["data-id"] ?? ""));
        return item === undefined
            ? {}
            : {
                  key: item.id,
                  role: "button",
                  tabIndex: item.id === entry ? 0 : -1,
                  "aria-label": nameOf(item),
                  onClick: () => {
                      setCurrent(item.id);
                      onChoose(item.id);
                  },
                  onKeyDown: (event: KeyboardEvent) => onKeyDown(event, item),
                  onFocus: () => setCurrent(item.id),
              };
    };
    return (
        <svg
            ref={group}
            class="lab"
            role="group"
            aria-label="Drawing of the lab. Arrow keys move, Enter chooses. The lists below say the same."
            viewBox={`0 0 ${layout.width} ${layout.height}`}
        >
            {toElement(draw(layout, marks), handlers)}
        </svg>
    );
}

/** What is written in it comes first, for those who speak to their computer. https://www.w3.org/WAI/WCAG22/Understanding/label-in-name */
function nameOf({ text, detail, note, label }: Item): string {
    const written = [text, detail, note].filter(Boolean).join(" ");
    return label.includes(written) ? label : `${written}: ${label}`;
}

/** The nearest item in a direction, from middle to middle; what is off to the side counts as farther. */
function nearest(items: readonly Item[], from: Item, [right, down]: readonly [number, number]): Item | undefined {
    const middle = ({ x, y, width, height, kind }: Item): readonly [number, number] => [
        x + width / 2,
        // Of what holds others, its head.
        y + (kind === "machine" ? 20 : height / 2),
    ];
    const [x, y] = middle(from);
    return items
        .filter(({ id }) => id !== from.id)
        .map((item) => {
            const [dx, dy] = [middle(item)[0] - x, middle(item)[1] - y];
            const ahead = dx * right + dy * down;
            const aside = Math.abs(dx * down) + Math.abs(dy * right);
            return { item, ahead, far: ahead + 2 * aside };
        })
        .filter(({ ahead }) => ahead > 1)
        .sort((one, other) => one.far - other.far)[0]?.item;
}
