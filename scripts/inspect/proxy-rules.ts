import { parseIpvs } from "./ipvs";
import type { MachineFacts } from "./machine";

/** What writes a node's rules for services, as far as one sees. */
export type ProxyForm = "nftables" | "iptables" | "ipvs";

/** What a node's rules make of packets for one port of a service. */
export interface PortRules {
    /** Absent where no rule knows the address and port. */
    readonly form?: ProxyForm;
    /** ADDRESS:PORT of the pods that they lead to. */
    readonly endpoints: readonly string[];
}

/** @param protocol `tcp`, `udp` or `sctp` */
export function portRules(machine: MachineFacts, address: string, port: number, protocol: string): PortRules {
    return (
        nftables(machine.nftables, address, port, protocol) ??
        iptables(machine.nat, address, port, protocol) ??
        ipvs(machine.ipvs, address, port, protocol) ?? { endpoints: [] }
    );
}

/**
 * The map `service-ips` leads from address, protocol and port to the service's chain. That has a map of its endpoints, or leads, with session
 * affinity, to a chain for each, whose name ends in `__ADDRESS/PORT`. `no-endpoint-services` has the services without any.
 */
function nftables(table: readonly string[], address: string, port: number, protocol: string): PortRules | undefined {
    const text = table.join("\n");
    const [, target] =
        new RegExp(`${escape(address)} \\. ${protocol} \\. ${port}(?: comment "[^"]*")? : goto ([^\\s,}]+)`).exec(
            text,
        ) ?? [];
    if (target === undefined) {
        return undefined;
    }
    const start = table.findIndex((line) => line.trim() === `chain ${target} {`);
    const rest = start < 0 ? [] : table.slice(start + 1);
    const end = rest.findIndex((line) => line.trim() === "}");
    const chain = rest.slice(0, end).join("\n");
    const endpoints = [...chain.matchAll(/__([\d.]+)\/(\d+)|: ([\d.]+) \. (\d+)/g)].map(
        ([, ip, number, mapped, mappedNumber]) => `${ip ?? mapped}:${number ?? mappedNumber}`,
    );
    return { form: "nftables", endpoints: [...new Set(endpoints)] };
}

/** https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-iptables: KUBE-SERVICES → KUBE-SVC-… → KUBE-SEP-… */
function iptables(nat: readonly string[], address: string, port: number, protocol: string): PortRules | undefined {
    const own = nat.find(
        (rule) =>
            rule.startsWith("-A KUBE-SERVICES ") &&
            rule.includes(` -d ${address}/32 `) &&
            rule.includes(` -p ${protocol} `) &&
            new RegExp(` --dport ${port} .*-j KUBE-SVC-`).test(rule),
    );
    const chain = /-j (KUBE-SVC-\S+)/.exec(own ?? "")?.[1];
    if (chain === undefined) {
        return undefined;
    }
    const separate = nat
        .filter((rule) => rule.startsWith(`-A ${chain} `))
        .flatMap((rule) => /-j (KUBE-SEP-\S+)/.exec(rule)?.[1] ?? []);
    const endpoints = nat
        .filter((rule) => separate.some((name) => rule.startsWith(`-A ${name} `)))
        .flatMap((rule) => /--to-destination (\S+)/.exec(rule)?.[1] ?? []);
    return { form: "iptables", endpoints };
}

function ipvs(table: readonly string[], address: string, port: number, protocol: string): PortRules | undefined {
    const service = parseIpvs(table.join("\n")).find(
        (each) => each.address === address && each.port === port && each.protocol === protocol.toUpperCase(),
    );
    return service === undefined
        ? undefined
        : { form: "ipvs", endpoints: service.destinations.map((each) => `${each.address}:${each.port}`) };
}

function escape(text: string): string {
    return text.replaceAll(".", "\\.");
}
