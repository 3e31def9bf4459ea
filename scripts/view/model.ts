/** How something is, whatever it is. Each has a sign and a word beside its colour. */
export type Health = "good" | "moving" | "bad" | "off" | "unknown";

/** A systemd unit or a static pod of a machine. */
export interface Unit {
    /** As `scripts/lab status` names it: `kubelet`, `etcd (pod)`. */
    readonly name: string;
    readonly health: Health;
    /** systemd's ActiveState, or `running` and `not running` of a static pod. */
    readonly state: string;
    readonly restarts: number;
    /** When it came into this state; ISO 8601, by the machine's clock. */
    readonly since?: string;
}

export interface Route {
    /** CIDR, or `default`. */
    readonly destination: string;
    /** Address of the next hop; none for what is on the interface itself. */
    readonly via?: string;
    readonly device: string;
}

/** A bridge on a machine that pods are attached to. */
export interface PodBridge {
    readonly name: string;
    /** Addresses with prefix length. */
    readonly addresses: readonly string[];
}

export interface Machine {
    readonly name: string;
    readonly role: "control-plane" | "worker";
    readonly address: string;
    readonly podCidr?: string;
    /** `bad` when it does not answer, `unknown` before its first answer. */
    readonly health: Health;
    /** In words: `answers`, or why it does not. */
    readonly state: string;
    /** What the API says of its node: `Ready`, `NotReady`, `no node`, `unknown`. */
    readonly node: { readonly health: Health; readonly state: string; readonly cordoned: boolean };
    readonly units: readonly Unit[];
    /** All its IPv4 addresses but loopback, with prefix length and interface. */
    readonly addresses: readonly { readonly device: string; readonly address: string }[];
    readonly bridges: readonly PodBridge[];
    readonly routes: readonly Route[];
    /** Whether its interface is a port of the lab's bridge; undefined where there is none to look at. */
    readonly attached?: boolean;
}

export interface Pod {
    readonly namespace: string;
    readonly name: string;
    /** Name of its node; none before it is scheduled. */
    readonly node?: string;
    readonly address?: string;
    /** It has its node's address, and no interface of its own. */
    readonly hostNetwork: boolean;
    readonly health: Health;
    /** `Running`, `Pending`, `CrashLoopBackOff`, `NotReady` …: as a person reads it. */
    readonly state: string;
    readonly restarts: number;
    readonly containers: readonly string[];
}

export interface Endpoint {
    readonly address: string;
    readonly ready: boolean;
    /** Namespace and name of its pod, with a slash between; none for others, as the API servers. */
    readonly pod?: string;
}

export interface Service {
    readonly namespace: string;
    readonly name: string;
    readonly type: string;
    /** Cluster address; `None` for a headless service. */
    readonly address: string;
    /** `80/TCP`, `53→5353/UDP`. */
    readonly ports: readonly string[];
    readonly endpoints: readonly Endpoint[];
    readonly health: Health;
    readonly state: string;
}

/** What a lab is at one moment. No secret is in it: no object of the API as it is, but picked fields. */
export interface Model {
    readonly stack: string;
    readonly podNetwork: string;
    /** The API server that the answers come from. */
    readonly api: { readonly address: string; readonly health: Health; readonly state: string };
    /** The lab's bridge on this host; none where machines are not local, or have no bridge. */
    readonly bridge?: { readonly name: string; readonly addresses: readonly string[]; readonly health: Health };
    readonly machines: readonly Machine[];
    readonly pods: readonly Pod[];
    readonly services: readonly Service[];
}

/** One thing that changed, for the list of changes. */
export interface Change {
    /** ISO 8601. */
    readonly time: string;
    /** Id of the element in the drawing. */
    readonly subject: string;
    /** `kubelet on worker-1` */
    readonly what: string;
    readonly from: string;
    readonly to: string;
    readonly health: Health;
}

/** Ids of the elements of a drawing. */
export const idOf = {
    host: "host",
    api: "api",
    bridge: "bridge",
    machine: (name: string): string => `machine:${name}`,
    unit: (machine: string, unit: string): string => `unit:${machine}/${unit}`,
    route: (machine: string, destination: string): string => `route:${machine}/${destination}`,
    podBridge: (machine: string, bridge: string): string => `pod-bridge:${machine}/${bridge}`,
    interface: (machine: string): string => `interface:${machine}`,
    pod: ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
        `pod:${namespace}/${name}`,
    service: ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
        `service:${namespace}/${name}`,
} as const;
