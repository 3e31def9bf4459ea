/** What `systemctl show` says of several units: `Key=Value` lines, a blank line between units. */
export function parseSystemctlShow(text: string): Readonly<Record<string, string>>[] {
    return text
        .trim()
        .split(/\n\n+/)
        .map((block) =>
            Object.fromEntries(
                block.split("\n").map((line): [string, string] => {
                    const [key = "", ...value] = line.split("=");
                    return [key, value.join("=")];
                }),
            ),
        );
}
