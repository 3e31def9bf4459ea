import ipaddr from "ipaddr.js";

/** An IPv4 range. */
export interface Cidr {
    /** Network address as an unsigned 32-bit number. */
    readonly base: number;
    /** Prefix length, 0–32. */
    readonly prefix: number;
}

/** What is wrong with a text that should be a range, and what to write instead. */
export interface CidrFault {
    readonly problem: string;
    readonly remedy: string;
}

const EXAMPLE = "write it like 10.99.0.0/16";

/** Reads an IPv4 CIDR such as `10.99.0.0/16`; a range with host bits set, an IPv6 range or a bare address is a fault. */
export function parseCidr(text: string): Cidr | CidrFault {
    if (text.includes(",")) {
        return { problem: "is more than one range (dual-stack), which isn't supported", remedy: "give one IPv4 range" };
    }
    const [address = "", length, ...rest] = text.split("/");
    if (ipaddr.IPv6.isValid(address)) {
        return {
            problem: "is an IPv6 range, which isn't supported",
            remedy: "give an IPv4 range such as 10.99.0.0/16",
        };
    }
    const base = parseAddress(address);
    if (base === undefined || rest.length > 0) {
        return { problem: "is not an IPv4 range", remedy: EXAMPLE };
    }
    if (length === undefined) {
        return { problem: "has no prefix length", remedy: `write it like ${address}/16` };
    }
    const prefix = /^\d{1,2}$/.test(length) ? Number(length) : NaN;
    if (!(prefix <= 32)) {
        return { problem: `has a prefix length of "${length}"`, remedy: "it must be between 0 and 32" };
    }
    const network = base - (base % sizeOf(prefix));
    if (network !== base) {
        return { problem: "has host bits set", remedy: `did you mean ${formatCidr({ base: network, prefix })}?` };
    }
    return { base, prefix };
}

/** The IPv4 address as an unsigned 32-bit number, or undefined where the text is none. */
export function parseAddress(text: string): number | undefined {
    if (!ipaddr.IPv4.isValidFourPartDecimal(text)) {
        return undefined;
    }
    return ipaddr.IPv4.parse(text)
        .toByteArray()
        .reduce((sum, byte) => sum * 256 + byte, 0);
}

/** `10.99.0.0/16` for the range. */
export function formatCidr(cidr: Cidr): string {
    return `${formatAddress(cidr.base)}/${cidr.prefix}`;
}

/** How many addresses the range holds, its network and broadcast addresses included. */
export function sizeOfCidr(cidr: Cidr): number {
    return sizeOf(cidr.prefix);
}

/**
 * The `offset`th address of the range, 0 being the network address.
 *
 * @throws RangeError where the range has no such address.
 */
export function addressAt(cidr: Cidr, offset: number): string {
    if (!Number.isInteger(offset) || offset < 0 || offset >= sizeOfCidr(cidr)) {
        throw new RangeError(`${formatCidr(cidr)} has no address number ${offset}`);
    }
    return formatAddress(cidr.base + offset);
}

/** How many ranges of the prefix length fit into the range. */
export function subnetCount(cidr: Cidr, prefix: number): number {
    return prefix < cidr.prefix ? 0 : 2 ** (prefix - cidr.prefix);
}

/**
 * The `index`th range of the prefix length inside the range, 0 being the first.
 *
 * @throws RangeError where the range doesn't hold it.
 */
export function subnetAt(cidr: Cidr, prefix: number, index: number): Cidr {
    if (!Number.isInteger(index) || index < 0 || index >= subnetCount(cidr, prefix)) {
        throw new RangeError(`${formatCidr(cidr)} has no /${prefix} number ${index}`);
    }
    return { base: cidr.base + index * sizeOf(prefix), prefix };
}

/** Whether two ranges share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
    return a.base < b.base + sizeOfCidr(b) && b.base < a.base + sizeOfCidr(a);
}

/** Whether the range `inner` lies in `outer` as a whole. */
export function contains(outer: Cidr, inner: Cidr): boolean {
    return inner.prefix >= outer.prefix && overlaps(outer, inner);
}

function sizeOf(prefix: number): number {
    return 2 ** (32 - prefix);
}

function formatAddress(address: number): string {
    return ipaddr.fromByteArray([24, 16, 8, 0].map((shift) => (address >>> shift) & 255)).toString();
}
