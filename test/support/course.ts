/** A command of docs/course.md, and what stands below it. */
export interface Typed {
    readonly command: string;
    readonly output: readonly string[];
}

export interface Part {
    readonly title: string;
    readonly commands: readonly Typed[];
}

/** The parts of a course, with the commands of their blocks `console`: those begin with `$ `, and go on after `> `. */
export function readCourse(markdown: string): Part[] {
    return markdown
        .split(/^## /m)
        .slice(1)
        .map((text) => {
            const [title = ""] = text.split("\n");
            const blocks = [...text.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
            return { title, commands: blocks.flatMap(readBlock) };
        })
        .filter(({ commands }) => commands.length > 0);
}

function readBlock(block: string): Typed[] {
    return block
        .split(/^\$ /m)
        .slice(1)
        .map((text) => {
            const [first = "", ...rest] = text.trimEnd().split("\n");
            const more = rest.findIndex((line) => !line.startsWith("> "));
            const end = more === -1 ? rest.length : more;
            const command = [first, ...rest.slice(0, end).map((line) => line.slice(2))].join("\n");
            return { command, output: rest.slice(end) };
        });
}

/** The first of the lines that was not printed after those before it. `…` stands for anything; one blank is like several. */
export function notPrinted(wanted: readonly string[], printed: string): string | undefined {
    const lines = printed.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
    let from = 0;
    return wanted.find((line) => {
        const pattern = new RegExp(
            `^${line
                .trim()
                .replace(/\s+/g, " ")
                .split("…")
                .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
                .join(".*")}$`,
        );
        const found = lines.slice(from).findIndex((each) => pattern.test(each));
        from += found + 1;
        return found === -1;
    });
}
