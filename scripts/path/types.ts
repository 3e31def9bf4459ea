import type { Protocol } from "../inspect/objects";

/** Where on the way something happens to a packet. */
export type Place =
    | "dns"
    | "pod"
    | "veth"
    | "bridge"
    | "process"
    | "routing-rule"
    | "route"
    | "rule"
    | "ipvs"
    | "tunnel"
    | "interface"
    | "host-bridge"
    | "outside";

/** An IPv4 address and, where there is one, a port. */
export interface Endpoint {
    readonly address: string;
    readonly port: number;
}

/** When something was last set, as far as anybody can know. */
export interface LastSet {
    /** ISO 8601, UTC; missing where nothing tells. */
    readonly at?: string;
    /** What that time is of; or why it is not known. */
    readonly of: string;
}

/** One hop: what happens to the packet at one place. */
export interface Hop {
    /** `name`: of the question to the DNS server, before the connection itself. */
    readonly leg: "name" | "connection";
    readonly direction: "request" | "reply";
    /** Name of the node; `here` for this host, `outside` for what is beyond it. */
    readonly machine: string;
    readonly place: Place;
    /** Name of the interface, chain, pod or route there. */
    readonly name: string;
    /** What happens there. */
    readonly what: string;
    /** Who put it there. */
    readonly component: string;
    readonly set: LastSet;
    /** The command line that shows it by hand; missing for what is out of reach. */
    readonly command?: string;
    /** The packet as it leaves the hop. */
    readonly packet?: { readonly source: Endpoint; readonly destination: Endpoint };
    /** Whether the kernel was seen to do this with the probe's packet; else the hop is concluded from the others. */
    readonly seen: boolean;
    /** The packet ends here. */
    readonly lost?: Loss;
}

export interface Loss {
    readonly why: string;
    /** What should be there instead. */
    readonly should: string;
    /** The command line that puts it right, where one does. */
    readonly remedy?: string;
}

/** What came of the connection that was made. */
export interface ProbeResult {
    /** `connected`: TCP; `answered`: a datagram came back. `silent`: nothing came in time. */
    readonly outcome: "connected" | "answered" | "refused" | "unreachable" | "silent" | "unresolved";
    readonly milliseconds: number;
    readonly source: Endpoint;
    readonly destination: Endpoint;
}

/** The way of a packet and of the answer to it. */
export interface Path {
    readonly from: string;
    readonly to: string;
    readonly protocol: Protocol;
    readonly probe: ProbeResult;
    /** Whether request and answer have come all the way. */
    readonly whole: boolean;
    readonly hops: readonly Hop[];
    /** What the reader should know of how this was found out. */
    readonly notes: readonly string[];
}
