const WIDTH = 120;

/** Lines of a text, none wider than the page; what is in backquotes may be broken at its blanks. */
export function paragraph(text: string, indent = ""): string[] {
    const lines: string[] = [];
    let line = "";
    for (const word of text.trim().split(" ")) {
        const longer = line === "" ? word : `${line} ${word}`;
        if (longer.length > WIDTH && line !== "") {
            lines.push(line);
            line = `${indent}${word}`;
        } else {
            line = longer;
        }
    }
    return [...lines, line];
}
