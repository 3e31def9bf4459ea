import ipaddr from "ipaddr.js";

/** An IPv4 range that something uses. */
export interface UsedRange {
    /** CIDR */
    readonly range: string;
    /** Who uses it, in words. */
    readonly by: string;
    /** Network interface it belongs to, if any. */
    readonly interface?: string;
}

/** The first range in use that overlaps with `network`, leaving out those of the interface `own`. */
export function overlapping(network: string, used: readonly UsedRange[], own: string): UsedRange | undefined {
    const wanted = ipaddr.IPv4.parseCIDR(network);
    return used.find((other) => {
        const [address, length] = ipaddr.IPv4.parseCIDR(other.range);
        const shorter = Math.min(length, wanted[1]);
        return other.interface !== own && length > 0 && address.match(wanted[0], shorter);
    });
}

/** Ranges in the text of /proc/net/route: addresses and masks are hexadecimal in the host's byte order. */
export function routedRanges(routes: string): UsedRange[] {
    return routes
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .map(([name = "", destination = "", , , , , , mask = ""]) => ({
            range: `${address(destination)}/${ones(mask)}`,
            by: `a route of this host through the interface ${name}`,
            interface: name,
        }));
}

function address(hex: string): string {
    return (hex.match(/../g) ?? [])
        .reverse()
        .map((byte) => parseInt(byte, 16))
        .join(".");
}

function ones(hex: string): number {
    return [...parseInt(hex, 16).toString(2)].filter((bit) => bit === "1").length;
}
