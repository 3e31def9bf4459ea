import type { MachineFacts } from "../inspect/machine";

/** CIDRs that a machine's CNI configuration gives addresses out of; empty where none is in the file that counts. */
export function networkRanges(machine: MachineFacts | undefined): string[] {
    const [first = ""] = Object.values(machine?.cni ?? {});
    return [...new Set([...first.matchAll(/"subnet"\s*:\s*"([\d./]+)"/g)].map(([, range = ""]) => range))];
}
