/** The words of a command line as a shell reads them: blanks between them, single and double quotes, backslashes. Nothing is expanded. */
export function wordsOf(commandLine: string): string[] {
    const words: string[] = [];
    for (const [text] of commandLine.matchAll(/(?:[^\s'"\\]|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)+/gs)) {
        words.push(
            text.replace(
                /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
                (_, single?: string, double?: string, escaped?: string) =>
                    double === undefined ? (single ?? escaped ?? "") : double.replace(/\\(["\\$`])/g, "$1"),
            ),
        );
    }
    return words;
}
