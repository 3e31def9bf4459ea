import type { BaseChain } from "../inspect/rules";
import type { Endpoint } from "./types";

/** The head of a packet as the kernel traced it. */
export interface PacketHead {
    /** Interface that it came by; missing for the machine's own. */
    readonly input?: string;
    /** Interface that it leaves by; missing before the kernel has chosen one, and for packets to the machine. */
    readonly output?: string;
    readonly source: Endpoint;
    readonly destination: Endpoint;
    readonly protocol: "TCP" | "UDP";
    /** Differentiated services code point. */
    readonly dscp: number;
    /** Identification field. */
    readonly id: number;
    /** TCP flags: 2 SYN, 4 RST, 16 ACK. */
    readonly flags: number;
    readonly sourceHardware?: string;
}

/** A rule that matched. */
export interface TracedRule {
    readonly chain: string;
    /** As nftables says it; of iptables' matches there is less in it. */
    readonly text: string;
    readonly handle?: number;
    /** `accept`, `drop`, `continue`, `jump CHAIN`, `goto CHAIN`, `return`, `queue` */
    readonly verdict: string;
}

/** The way of one packet through one base chain. */
export interface Traversal {
    readonly family: string;
    readonly table: string;
    readonly chain: string;
    /** `prerouting`, …; empty for a chain that the rules that were read do not have. */
    readonly hook: string;
    readonly packet: PacketHead;
    readonly rules: readonly TracedRule[];
    /** How the chain ended. */
    readonly verdict: "accept" | "drop";
}

/**
 * The text of `nft --handle --numeric monitor trace`, as traversals of base chains in the order of time.
 *
 * @param chains the base chains of the machine's rules.
 */
export function parseTrace(text: string, chains: readonly BaseChain[]): Traversal[] {
    const found: Open[] = [];
    const current = new Map<string, Open>();
    for (const line of text.split("\n")) {
        const [, id = "", family = "", table = "", chain = "", kind = "", rest = ""] =
            /^trace id (\S+) (\S+) (\S+) (\S+) (packet:|rule|verdict|policy|unknown) ?(.*)$/.exec(line.trim()) ?? [];
        if (kind === "packet:") {
            const packet = parseHead(rest);
            if (packet !== undefined) {
                const hook = chains.find(
                    (each) => each.family === family && each.table === table && each.name === chain,
                );
                const open: Open = {
                    family,
                    table,
                    chain,
                    hook: hook?.hook ?? "",
                    packet,
                    rules: [],
                    verdict: "accept",
                };
                found.push(open);
                current.set(id, open);
            }
        } else if (kind === "rule") {
            const open = current.get(id);
            const rule = parseRule(chain, rest);
            open?.rules.push(rule);
            if (open !== undefined && rule.verdict === "drop") {
                open.verdict = "drop";
            }
        } else if (kind === "policy") {
            const open = current.get(id);
            if (open !== undefined && rest.trim() === "drop") {
                open.verdict = "drop";
            }
        }
    }
    return found;
}

interface Open extends Traversal {
    readonly rules: TracedRule[];
    verdict: "accept" | "drop";
}

function parseRule(chain: string, text: string): TracedRule {
    const [, body = text, verdict = "continue"] = /^(.*)\(verdict ([^)]*)\)\s*$/.exec(text) ?? [];
    const [, rule = body, handle] = /^(.*?)\s*# handle (\d+)\s*$/.exec(body) ?? [];
    return {
        chain,
        text: rule
            .replace(/counter packets \d+ bytes \d+\s*/, "")
            .replace(/\s+/g, " ")
            .trim(),
        ...(handle === undefined ? {} : { handle: Number(handle) }),
        verdict,
    };
}

/** @returns undefined for what is neither TCP nor UDP over IPv4. */
function parseHead(text: string): PacketHead | undefined {
    const value = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
    const number = (pattern: RegExp): number => Number(value(pattern) ?? 0);
    const [source, destination] = [value(/ip saddr (\S+)/), value(/ip daddr (\S+)/)];
    const [input, output] = [value(/\biif "?([^"\s]+)"?/), value(/\boif "?([^"\s]+)"?/)];
    const hardware = value(/ether saddr (\S+)/);
    const protocol = /\btcp sport /.test(text) ? "TCP" : /\budp sport /.test(text) ? "UDP" : undefined;
    if (source === undefined || destination === undefined || protocol === undefined) {
        return undefined;
    }
    return {
        ...(input === undefined || input === "0" ? {} : { input }),
        ...(output === undefined || output === "0" ? {} : { output }),
        source: { address: source, port: number(/\b(?:tcp|udp) sport (\d+)/) },
        destination: { address: destination, port: number(/\b(?:tcp|udp) dport (\d+)/) },
        protocol,
        dscp: number(/ip dscp (\S+)/),
        id: number(/ip id (\d+)/),
        flags: number(/tcp flags == (\S+)/),
        ...(hardware === undefined ? {} : { sourceHardware: hardware }),
    };
}

/** What one machine did with one packet. */
export interface Crossing {
    /** As it came, before any rule: from an interface, or from a process of the machine. */
    readonly entry?: Traversal;
    /** The rules that it passed, those of the watch itself left out. */
    readonly passed: readonly Traversal[];
    /** As it left, after all rules: to an interface, or to a process of the machine. */
    readonly exit?: Traversal;
}

/** Tables of the watch begin with this. */
export const WATCH_TABLE = "kubelab-path";

/** What a machine did with the packets of a probe, in the order of time: it may get one more than once. */
export interface Crossings {
    readonly request: readonly Crossing[];
    readonly reply: readonly Crossing[];
}

/**
 * What a machine did with the first packet of the probe, and with the first answer to it. What is sent again passes fewer rules: the
 * first decided for all of the connection.
 *
 * @param dscp of the requests.
 */
export function crossings(traversals: readonly Traversal[], dscp: number): Crossings {
    // A refusal has the request's DSCP: the kernel that refuses takes it from there.
    const isRequest = ({ packet }: Traversal): boolean =>
        packet.dscp === dscp && (packet.protocol === "UDP" || packet.flags === SYN);
    const requests = traversals.filter(isRequest);
    // The same number all the way, and another one when it is sent again.
    const first = requests[0]?.packet.id;
    const replies = traversals.filter((each) => !isRequest(each) && isFirstAnswer(each.packet));
    return { request: split(requests.filter(({ packet }) => packet.id === first)), reply: split(replies) };
}

const [SYN, RST, ACK] = [2, 4, 16];

/** SYN and ACK, RST, or a datagram. */
function isFirstAnswer({ protocol, flags }: PacketHead): boolean {
    return protocol === "UDP" || (flags & RST) !== 0 || (flags & (SYN | ACK)) === (SYN | ACK);
}

/** IPVS takes a packet in that was to be the machine's own, and sends it out again: that is one crossing. */
function split(all: readonly Traversal[]): Crossing[] {
    const found: { entry?: Traversal; passed: Traversal[]; exit?: Traversal }[] = [];
    for (const traversal of all) {
        const current = found.at(-1);
        const isOwn = traversal.table.startsWith(WATCH_TABLE);
        const goesOn = current?.entry?.chain === "enter" && current.exit === undefined;
        if (isOwn && (traversal.chain === "enter" || (traversal.chain === "begin" && !goesOn))) {
            found.push({ entry: traversal, passed: [] });
        } else if (current !== undefined && isOwn && traversal.chain !== "begin") {
            current.exit = traversal;
        } else if (!isOwn) {
            current?.passed.push(traversal);
        }
    }
    return found;
}
