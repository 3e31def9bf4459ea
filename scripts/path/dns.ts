import { decode, encode, RECURSION_DESIRED } from "dns-packet";

/** What a resolver goes by: resolv.conf(5). */
export interface ResolverSettings {
    readonly nameservers: readonly string[];
    readonly search: readonly string[];
    /** Names with fewer dots are tried in the domains of `search` first. */
    readonly ndots: number;
    /** Addresses by name, of /etc/hosts. */
    readonly hosts: Readonly<Record<string, string>>;
}

/** The texts of resolv.conf and /etc/hosts; IPv4 only. */
export function parseResolver(resolvConf: string, hosts: string): ResolverSettings {
    const words = (keyword: string): string[] =>
        resolvConf
            .split("\n")
            .map((line) => line.trim().split(/\s+/))
            .filter(([first]) => first === keyword)
            .flatMap((line) => line.slice(1));
    const ndots = /^\s*options\b.*\bndots:(\d+)/m.exec(resolvConf)?.[1];
    const known = hosts
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
        .filter(([address = ""]) => /^\d+(\.\d+){3}$/.test(address))
        .flatMap(([address = "", ...names]) => names.map((name): [string, string] => [name, address]));
    return {
        nameservers: words("nameserver").filter((address) => /^\d+(\.\d+){3}$/.test(address)),
        search: words("search"),
        ndots: Number(ndots ?? 1),
        // The first line with a name counts.
        hosts: Object.fromEntries(known.reverse()),
    };
}

/** The names that are asked for, one after the other, until one is there: without the last dot. */
export function candidates(name: string, { search, ndots }: ResolverSettings): string[] {
    if (name.endsWith(".")) {
        return [name.slice(0, -1)];
    }
    const inDomains = search.map((domain) => `${name}.${domain.replace(/\.$/, "")}`);
    const dots = name.split(".").length - 1;
    return dots >= ndots ? [name, ...inDomains] : [...inDomains, name];
}

/** A question for IPv4 addresses. @param id of the question, 0–65535. */
export function question(name: string, id: number): Buffer {
    return encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ type: "A", name }] });
}

/** What a name server says. */
export interface DnsAnswer {
    /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, … */
    readonly code: string;
    readonly addresses: readonly string[];
}

/** @returns undefined for what is no answer. */
export function parseDnsAnswer(message: Buffer): DnsAnswer | undefined {
    try {
        const { type, rcode, answers = [] } = decode(message) as ReturnType<typeof decode> & { readonly rcode: string };
        const addresses = answers.flatMap((answer) => (answer.type === "A" ? [answer.data] : []));
        return type === "response" ? { code: rcode, addresses } : undefined;
    } catch {
        return undefined;
    }
}
