import { buildSync } from "esbuild";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface PageFile {
    readonly type: string;
    readonly text: string;
}

const PAGE = join(__dirname, "../page");

/** The files of the page by their names. The page's code is bundled with its library, so that a browser asks for nothing else. */
export function pageFiles(): Readonly<Record<string, PageFile>> {
    const { outputFiles } = buildSync({
        entryPoints: [join(PAGE, "main.tsx")],
        bundle: true,
        write: false,
        format: "esm",
        target: "es2022",
        tsconfig: join(PAGE, "tsconfig.json"),
        logLevel: "silent",
    });
    const page = (name: string): string => readFileSync(join(PAGE, name), "utf8");
    const styles = ["../drawing/drawing.css", "page.css"].map(page);
    return {
        "": { type: "text/html; charset=utf-8", text: page("page.html") },
        "icon.svg": { type: "image/svg+xml", text: page("icon.svg") },
        "page.js": { type: "text/javascript; charset=utf-8", text: outputFiles[0]?.text ?? "" },
        "page.css": { type: "text/css; charset=utf-8", text: styles.join("\n") },
    };
}
