import ipaddr from "ipaddr.js";
import { wordsOf } from "../support/words";

/** A new packet that a node passes on. */
export interface Packet {
    /** IPv4 addresses. */
    readonly source: string;
    readonly destination: string;
    /** Interfaces by which it comes and goes. */
    readonly from?: string;
    readonly to?: string;
}

/** What becomes of it, and the rule or the policy that says so, as iptables-save prints it. */
export interface Decision {
    readonly accepted: boolean;
    readonly by: string;
}

interface Chain {
    /** Of a built-in chain. */
    readonly policy?: string;
    readonly rules: string[];
}

/** How many chains may call each other; the kernel refuses circles. */
const DEPTH = 16;

/**
 * What the FORWARD chain does with the first packet of a connection, by what `iptables-save -t filter` prints. Addresses, interfaces,
 * connection states and marks are looked at; a rule with any other condition is passed over.
 */
export function forwardDecision(table: readonly string[], packet: Packet): Decision {
    const chains = parseChains(table);
    const forward = chains.get("FORWARD");
    if (forward === undefined) {
        return { accepted: true, by: "there is no FORWARD chain" };
    }
    const decided = decide(chains, "FORWARD", packet, 0);
    return decided ?? { accepted: forward.policy !== "DROP", by: `-P FORWARD ${forward.policy ?? "ACCEPT"}` };
}

function parseChains(table: readonly string[]): Map<string, Chain> {
    const chains = new Map<string, Chain>();
    for (const line of table) {
        const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
        if (name !== undefined) {
            chains.set(name, { ...(policy === "-" || policy === undefined ? {} : { policy }), rules: [] });
        }
        const [, chain = ""] = /^-A (\S+) /.exec(line) ?? [];
        chains.get(chain)?.rules.push(line);
    }
    return chains;
}

function decide(chains: ReadonlyMap<string, Chain>, name: string, packet: Packet, depth: number): Decision | undefined {
    for (const rule of chains.get(name)?.rules ?? []) {
        const { target, matches } = parseRule(rule);
        if (!matches.every((match) => match(packet))) {
            continue;
        }
        if (target === "ACCEPT" || target === "DROP" || target === "REJECT") {
            return { accepted: target === "ACCEPT", by: rule };
        }
        if (target === "RETURN") {
            return undefined;
        }
        const inner = depth < DEPTH && chains.has(target) ? decide(chains, target, packet, depth + 1) : undefined;
        if (inner !== undefined) {
            return inner;
        }
    }
    return undefined;
}

interface Rule {
    /** ACCEPT, DROP, the name of a chain … */
    readonly target: string;
    /** What is asked of a packet; a rule with a match that isn't known matches none here. */
    readonly matches: readonly ((packet: Packet) => boolean)[];
}

/** Matches by their option; what has no say for a new TCP packet is always true. */
const MATCHES: Readonly<Record<string, (value: string) => (packet: Packet) => boolean>> = {
    "-s": (range) => (packet) => contains(range, packet.source),
    "-d": (range) => (packet) => contains(range, packet.destination),
    "-i": (name) => (packet) => packet.from !== undefined && isInterface(name, packet.from),
    "-o": (name) => (packet) => packet.to !== undefined && isInterface(name, packet.to),
    "-p": (name) => () => name === "tcp" || name === "all",
    "--ctstate": (states) => () => states.split(",").includes("NEW"),
    "--state": (states) => () => states.split(",").includes("NEW"),
};
/** Options that ask nothing of a packet by themselves; each has a value. */
const WITHOUT_SAY = ["-m", "--comment"];

function parseRule(line: string): Rule {
    const [, , ...words] = wordsOf(line);
    const matches: ((packet: Packet) => boolean)[] = [];
    for (let at = 0; at < words.length; at++) {
        const not = words[at] === "!";
        at += not ? 1 : 0;
        const [option = "", value = ""] = words.slice(at, at + 2);
        if (option === "-j" || option === "-g") {
            return { target: value, matches };
        }
        const match = MATCHES[option]?.(value);
        if (match !== undefined) {
            matches.push(not ? (packet) => !match(packet) : match);
        } else if (!WITHOUT_SAY.includes(option)) {
            matches.push(() => false);
        }
        at++;
    }
    return { target: "", matches };
}

function isInterface(pattern: string, name: string): boolean {
    return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** Whether an IPv4 address is in a CIDR. */
export function contains(range: string, address: string): boolean {
    const cidr = range.includes("/") ? range : `${range}/32`;
    return ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(cidr));
}
