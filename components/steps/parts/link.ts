/** Parts that a delivery is to have on a machine. */
export interface WantedParts {
    /** `<fingerprint> <path>` of every file that it brings. */
    readonly wanted: readonly string[];
    /** Fingerprints of all that the machine needs. */
    readonly kept: readonly string[];
}

/** Bash statements that set `wanted`, the list of the delivery's parts. */
export function listParts({ wanted }: WantedParts): string {
    return `wanted='${wanted.join("\n")}'`;
}

/**
 * Bash statements that put what has come in where it belongs, on the machine: run by one delivery at a time, in a step, after `listParts`.
 *
 * @param incoming directory on the machine that new files are in, by their paths in a parts directory.
 */
export function linkParts(incoming: string, { wanted, kept }: WantedParts): string {
    const listed = new Set(wanted.map((line) => line.split(" ")[0]));
    const others = kept.filter((fingerprint) => !listed.has(fingerprint));
    return `link_parts ${[incoming, ...others].join(" ")} <<<"$wanted"`;
}
