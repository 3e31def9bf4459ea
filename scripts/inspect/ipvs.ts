/** A virtual service in the kernel's IPVS table, and where it sends connections. */
export interface IpvsService {
    readonly protocol: string;
    /** Missing for a service by firewall mark. */
    readonly address?: string;
    readonly port?: number;
    /** `rr`, `sh`, … */
    readonly scheduler: string;
    readonly destinations: readonly IpvsDestination[];
}

export interface IpvsDestination {
    readonly address: string;
    readonly port: number;
    /** `Masq`, `Tunnel`, `Route`, `Local` */
    readonly forward: string;
    /** 0: it gets no new connections. */
    readonly weight: number;
    readonly active: number;
    readonly inactive: number;
}

/**
 * The text of /proc/net/ip_vs: addresses and ports in hexadecimal, in network order.
 * https://www.kernel.org/doc/Documentation/networking/ipvs-sysctl.rst
 */
export function parseIpvs(text: string): IpvsService[] {
    const services: (IpvsService & { readonly destinations: IpvsDestination[] })[] = [];
    for (const line of text.split("\n")) {
        const service = /^(TCP|UDP|SCTP)\s+([0-9A-F]{8}):([0-9A-F]{4})\s+(\S+)/.exec(line);
        const marked = /^FWM\s+[0-9A-F]{8}\s+(\S+)/.exec(line);
        const destination =
            /^\s+->\s+([0-9A-F]{8}):([0-9A-F]{4})\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)/.exec(line)?.slice(1) ?? [];
        if (service !== null) {
            const [, protocol = "", address = "", port = "", scheduler = ""] = service;
            services.push({ protocol, ...decoded(address, port), scheduler, destinations: [] });
        } else if (marked !== null) {
            services.push({ protocol: "FWM", scheduler: marked[1] ?? "", destinations: [] });
        } else if (destination.length > 0) {
            const [address = "", port = "", forward = "", weight, active, inactive] = destination;
            services.at(-1)?.destinations.push({
                ...decoded(address, port),
                forward,
                ...{ weight: Number(weight), active: Number(active), inactive: Number(inactive) },
            });
        }
    }
    return services;
}

function decoded(address: string, port: string): { readonly address: string; readonly port: number } {
    return { address: [...Buffer.from(address, "hex")].join("."), port: Number.parseInt(port, 16) };
}
