import { readFileSync } from "node:fs";
import { join } from "node:path";
import { draw } from "./drawing/draw";
import { layout } from "./drawing/layout";
import { lists } from "./lists";
import type { Model } from "./model";
import { type Element, element, toText } from "./tree";

const style = (name: string): string => readFileSync(join(__dirname, name), "utf8");

/** The drawing of a lab as a file of its own: an SVG image with its style, for light and dark. */
export function toSvgFile(model: Model): string {
    return `${toText(image(model, true))}\n`;
}

/** The drawing and the lists as one HTML file without scripts, which asks for nothing. @param now ISO 8601. */
export function toHtmlFile(model: Model, now: string): string {
    const title = `kubelab ${model.stack}, ${now.slice(0, 16).replace("T", " ")} UTC`;
    const page = element("html", { lang: "en" }, [
        element("head", {}, [
            element("meta", { charset: "utf-8" }),
            element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
            element("meta", { name: "color-scheme", content: "light dark" }),
            element("title", {}, [title]),
            element("style", {}, [style("drawing/drawing.css"), style("page/page.css")]),
        ]),
        element("body", {}, [
            element("header", {}, [element("h1", {}, [title])]),
            element("main", { class: "picture" }, [
                element("div", { class: "drawing below" }, [image(model, false)]),
                element("section", { class: "below" }, lists(model)),
            ]),
        ]),
    ]);
    // An element without content has no end in HTML.
    return `<!doctype html>\n${toText(page).replaceAll("</meta>", "")}\n`;
}

function image(model: Model, isFile: boolean): Element {
    const plan = layout(model);
    const { width, height } = plan;
    return element(
        "svg",
        {
            ...{ xmlns: "http://www.w3.org/2000/svg", class: "lab", role: "img", viewBox: `0 0 ${width} ${height}` },
            ...(isFile ? { width, height } : {}),
        },
        [
            element("title", {}, [`${model.stack}: ${model.machines.map(({ name }) => name).join(", ")}`]),
            ...(isFile ? [element("style", {}, [style("drawing/drawing.css")])] : []),
            element("rect", { class: "paper", width, height, rx: 12 }),
            draw(plan),
        ],
    );
}
