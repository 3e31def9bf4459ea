/** An element of a drawing or of a table: the page makes it an element of the document, an export makes it text. */
export interface Element {
    readonly tag: string;
    readonly attributes: Readonly<Record<string, string | number | undefined>>;
    readonly children: readonly (Element | string)[];
}

export function element(
    tag: string,
    attributes: Element["attributes"] = {},
    children: Element["children"] = [],
): Element {
    return { tag, attributes, children };
}

/** The element as text that is XML and HTML alike. */
export function toText(node: Element | string): string {
    if (typeof node === "string") {
        return escape(node);
    }
    const { tag, attributes, children } = node;
    const words = Object.entries(attributes)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => ` ${name}="${escape(String(value)).replaceAll('"', "&quot;")}"`);
    // The content of a style sheet is no markup in HTML.
    const content = children.map((child) => (tag === "style" && typeof child === "string" ? child : toText(child)));
    return `<${tag}${words.join("")}>${content.join("")}</${tag}>`;
}

function escape(text: string): string {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
