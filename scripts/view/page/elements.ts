import { h, type JSX } from "preact";
import type { Element } from "../tree";

/** An element as one of the document. @param more attributes that it has on the page only, handlers say. */
export function toElement(
    node: Element | string,
    more: (attributes: Element["attributes"]) => Readonly<Record<string, unknown>> = () => ({}),
): JSX.Element | string {
    return typeof node === "string"
        ? node
        : h(
              node.tag,
              { ...node.attributes, ...more(node.attributes) },
              ...node.children.map((child) => toElement(child, more)),
          );
}
