import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { labNames, machineNames } from "../../machines/names";

/** What this host has of a local lab's network. */
export interface HostReport {
    readonly bridge: { readonly name: string; readonly addresses: readonly string[]; readonly exists: boolean };
    /** Names of machines whose interface is a port of the bridge. */
    readonly attached: readonly string[];
}

/** Reads the lab's bridge from this host's kernel: no process is started. */
export function readHost(lab: string, machines: readonly string[]): HostReport {
    const { bridge } = labNames(lab);
    const ports = portsOf(bridge);
    const addresses = (networkInterfaces()[bridge] ?? []).filter(({ family }) => family === "IPv4");
    return {
        bridge: {
            name: bridge,
            addresses: addresses.flatMap(({ cidr }) => (cidr === null ? [] : [cidr])),
            exists: ports !== undefined,
        },
        attached: machines.filter((machine) => ports?.includes(machineNames(lab, machine).interface) ?? false),
    };
}

function portsOf(bridge: string): string[] | undefined {
    try {
        return readdirSync(`/sys/class/net/${bridge}/brif`);
    } catch {
        return undefined;
    }
}
