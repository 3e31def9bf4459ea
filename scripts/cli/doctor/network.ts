import ipaddr from "ipaddr.js";
import { overlapping, routedRanges, type UsedRange } from "../../machines/address-range";
import { labNames, LABS_DIRECTORY } from "../../machines/names";
import type { Check } from "./check";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";
import { labIsUp } from "./resources";

/** Whether the lab's address range and its registry's port are free. */
export function networkChecks(host: Host, lab: PlannedLab): Check[] {
    return [addressRange(host, lab), registryPort(host, lab)];
}

function addressRange(host: Host, lab: PlannedLab): Check {
    const labs = otherLabs(host, lab);
    const interfaces = host.addresses().map(({ interface: name, cidr }): UsedRange => {
        return { range: cidr, by: `the interface ${name} of this host`, interface: name };
    });
    const routes = routedRanges(host.read("/proc/net/route") ?? "");
    const used = overlapping(
        lab.network,
        lab.networking === "user" ? labs : [...labs, ...interfaces, ...routes],
        labNames(lab.name).bridge,
    );
    return used === undefined
        ? { name: "address range", state: "ok", detail: `${lab.network} is free for the machines` }
        : {
              name: "address range",
              state: "missing",
              detail: `${lab.network} overlaps with ${used.range}, which ${used.by} uses`,
              remedy: `choose another range in the stack's config: kubelab:local: {network: 10.241.0.0/24}`,
          };
}

function otherLabs(host: Host, lab: PlannedLab): UsedRange[] {
    return host.list(LABS_DIRECTORY).flatMap((name): UsedRange[] => {
        const text = name === lab.name ? undefined : host.read(`${LABS_DIRECTORY}/${name}/network.json`);
        const network = /"network":\s*"([0-9./]+)"/.exec(text ?? "")?.[1];
        return network === undefined ? [] : [{ range: network, by: `the lab "${name}"` }];
    });
}

/** The registry listens on the host's own address in the lab's network. */
function registryPort(host: Host, lab: PlannedLab): Check {
    const name = "registry port";
    const address = gateway(lab.network);
    if (labIsUp(host, lab)) {
        return { name, state: "ok", detail: `${lab.registryPort} on ${address} is the lab's` };
    }
    const taken = listeningEverywhere(host, lab.registryPort);
    return taken === undefined
        ? { name, state: "ok", detail: `${lab.registryPort} is free on ${address}` }
        : {
              name,
              state: "missing",
              detail: `a program listens on port ${lab.registryPort} of every address (${taken}), so ${address} has none left`,
              remedy:
                  `ss -ltnp 'sport = :${lab.registryPort}' says which; end it, or choose another port: ` +
                  "kubelab:local: {registryPort: 5001}",
          };
}

function gateway(network: string): string {
    const bytes = ipaddr.IPv4.networkAddressFromCIDR(network).toByteArray();
    return [...bytes.slice(0, 3), (bytes[3] ?? 0) + 1].join(".");
}

/** State of a listening socket in /proc/net/tcp; include/net/tcp_states.h. */
const LISTEN = "0A";

/** `0.0.0.0` or `::` where a program listens on a port of every address. */
function listeningEverywhere(host: Host, port: number): string | undefined {
    const ending = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const listens = (file: string): boolean =>
        (host.read(file) ?? "")
            .split("\n")
            .map((line) => line.trim().split(/\s+/))
            .some(([, local = "", , state]) => state === LISTEN && /^0+:/.test(local) && local.endsWith(ending));
    return listens("/proc/net/tcp") ? "0.0.0.0" : listens("/proc/net/tcp6") ? "::" : undefined;
}
