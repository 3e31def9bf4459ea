import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../../components/steps/script";
import { UserError } from "../support/errors";
import { candidates, parseDnsAnswer, parseResolver, question, type ResolverSettings } from "./dns";
import { UNKNOWN } from "./facts";
import type { Found, Search } from "./search";
import type { Hop, Loss } from "./types";

const DNS_PORT = 53;

/** A name, looked up as whoever asks would. */
export interface Resolved {
    /** Missing where the name could not be resolved. */
    readonly address?: string;
    /** The way of the question that decided, and what came of all of them. */
    readonly hops: readonly Hop[];
    readonly notes: readonly string[];
    readonly probe: Found["probe"];
}

/** One question, to whom, and what came. */
interface Asked {
    readonly name: string;
    readonly result: string;
    readonly addresses: readonly string[];
    readonly found: Found;
}

/**
 * Resolves a name where the search begins, by that resolv.conf and those search domains, and follows the question that decides: the
 * first that is answered with an address, or is not answered at all.
 *
 * @throws UserError where there is no name server.
 */
export async function resolve(search: Search, name: string): Promise<Resolved> {
    const settings = await resolverOf(search);
    const server = settings.nameservers[0];
    const known = settings.hosts[name];
    if (known !== undefined) {
        const probe = { outcome: "answered", milliseconds: 0, source: LOCAL, destination: LOCAL } as const;
        return { address: known, hops: [fromHosts(search, name, known)], notes: [], probe };
    }
    if (server === undefined) {
        throw new UserError(`${search.beginsOn()} has no IPv4 name server in /etc/resolv.conf to ask for ${name}.`);
    }
    const asked: Asked[] = [];
    for (const candidate of candidates(name, settings)) {
        const found = await search.connect(
            { address: server, port: DNS_PORT },
            "UDP",
            question(candidate, randomInt(65_536)),
        );
        const answer = parseDnsAnswer(found.answer.data);
        const addresses = answer?.addresses ?? [];
        const none = answer?.code === "NOERROR" ? "no address" : answer?.code;
        const result = addresses.length > 0 ? addresses.join(", ") : (none ?? `no answer (${found.probe.outcome})`);
        asked.push({ name: candidate, result, addresses, found });
        if (addresses.length > 0 || answer === undefined) {
            break;
        }
    }
    const last = asked.at(-1);
    if (last === undefined) {
        throw new Error(`no name to ask for: ${name}`);
    }
    const address = last.addresses[0];
    const way = last.found.hops.map((hop): Hop => ({ ...hop, leg: "name" }));
    const isLost = way.some(({ lost }) => lost !== undefined);
    const lost = address !== undefined || isLost ? undefined : lossOf(name, asked, server);
    return {
        hops: [...way, answerHop(search, name, server, asked, lost)],
        notes: last.found.notes,
        probe: last.found.probe,
        ...(address === undefined ? {} : { address }),
    };
}

const LOCAL = { address: "127.0.0.1", port: 0 };

async function resolverOf(search: Search): Promise<ResolverSettings> {
    const library = readFileSync(join(__dirname, "resolver.sh"), "utf8");
    const text = await search.bash((namespace) => `${library}\nresolver ${quote(namespace ?? "")}\n`);
    const [resolvConf = "", hosts = ""] = text.split("\n").map((line) => Buffer.from(line, "base64").toString());
    return parseResolver(resolvConf, hosts);
}

function answerHop(search: Search, name: string, server: string, asked: readonly Asked[], lost: Loss | undefined): Hop {
    const results = asked.map((each) => `${each.name}: ${each.result}`).join("; ");
    return {
        leg: "name",
        direction: "reply",
        machine: search.beginsOn(),
        place: "dns",
        name,
        what: `asked ${server} for ${results}`,
        component: search.origin.kind === "pod" ? "kubelet, by the pod's resolv.conf; CoreDNS answers" : "resolv.conf",
        set: UNKNOWN,
        command: search.command((namespace) =>
            namespace === undefined ? `getent ahostsv4 ${name}` : `ip netns exec ${namespace} getent ahostsv4 ${name}.`,
        ),
        seen: true,
        ...(lost === undefined ? {} : { lost }),
    };
}

function fromHosts(search: Search, name: string, address: string): Hop {
    return {
        leg: "name",
        direction: "request",
        machine: search.beginsOn(),
        place: "dns",
        name,
        what: `${address}, by /etc/hosts: no name server is asked`,
        component: search.origin.kind === "pod" ? "kubelet" : "the machine's /etc/hosts",
        set: UNKNOWN,
        command: search.command(() => `grep -w ${quote(name)} /etc/hosts`),
        seen: true,
    };
}

function lossOf(name: string, asked: readonly Asked[], server: string): Loss {
    const questions = asked.map((each) => `${each.name} (${each.result})`).join(", ");
    const [first = "", second] = name.split(".");
    return {
        why: `${server} knows no address: it was asked for ${questions}`,
        should: `a service "${first}"${second === undefined ? " in the pod's namespace" : ` in the namespace "${second}"`} where it is a name of the cluster; for another one, a name server that CoreDNS can reach`,
    };
}
