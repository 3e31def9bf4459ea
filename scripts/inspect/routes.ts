import { contains } from "./packet-filter";

/** Where a machine sends packets for an address. */
export interface Way {
    /** The line of `ip route` that counts. */
    readonly line: string;
    readonly via?: string;
    readonly device?: string;
}

/** The route of the longest prefix, of what `ip -4 route show` prints; undefined where none leads there. */
export function wayTo(routes: readonly string[], address: string): Way | undefined {
    const found = routes
        .map((line) => ({ line: line.trim(), ...destination(line) }))
        .filter(({ range }) => range !== undefined && contains(range, address))
        .sort((a, b) => b.length - a.length)[0];
    if (found === undefined || /^(unreachable|blackhole|prohibit) /.test(found.line)) {
        return undefined;
    }
    const via = / via (\S+)/.exec(found.line)?.[1];
    const device = / dev (\S+)/.exec(found.line)?.[1];
    return { line: found.line, ...(via === undefined ? {} : { via }), ...(device === undefined ? {} : { device }) };
}

function destination(line: string): { readonly range?: string; readonly length: number } {
    const word =
        line
            .trim()
            .replace(/^(unreachable|blackhole|prohibit) /, "")
            .split(" ")[0] ?? "";
    const range = word === "default" ? "0.0.0.0/0" : word.includes("/") ? word : `${word}/32`;
    return /^[\d.]+\/\d+$/.test(range) ? { range, length: Number(range.split("/")[1]) } : { length: -1 };
}
