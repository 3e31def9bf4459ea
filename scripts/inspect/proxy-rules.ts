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
 * The map `service-ips` leads from address, protocol and port to the service's chain, which leads to a chain per endpoint, whose name ends
 * in `__ADDRESS/PORT`; `no-endpoint-services` has the services without any.
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
    const endpoints = [...chain.matchAll(/__([\d.]+)\/(\d+)/g)].map(([, ip, number]) => `${ip}:${number}`);
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

/** A line per service, `TCP  0A200001:0050 rr`, and one per endpoint below it, `  -> 0A630102:0050      Masq …`. */
function ipvs(table: readonly string[], address: string, port: number, protocol: string): PortRules | undefined {
    const key = `${hexadecimal(address)}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const start = table.findIndex((line) => new RegExp(`^${protocol.toUpperCase()}\\s+${key}\\b`).test(line));
    if (start < 0) {
        return undefined;
    }
    const rest = table.slice(start + 1);
    const end = rest.findIndex((line) => !/^\s+->/.test(line));
    const endpoints = (end < 0 ? rest : rest.slice(0, end)).flatMap((line) => {
        const [, ip, number] = /->\s+([0-9A-F]{8}):([0-9A-F]{4})/.exec(line) ?? [];
        return ip === undefined || number === undefined ? [] : `${dotted(ip)}:${Number.parseInt(number, 16)}`;
    });
    return { form: "ipvs", endpoints };
}

function hexadecimal(address: string): string {
    return address
        .split(".")
        .map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, "0"))
        .join("");
}

function dotted(hex: string): string {
    return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join(".");
}

function escape(text: string): string {
    return text.replaceAll(".", "\\.");
}
