/** The mark that a cluster leaves on a host, below /var/lib/kubelab. */
export interface Claim {
    /** Of the cluster, random: it distinguishes two clusters of one name. */
    readonly cluster: string;
    readonly lab: string;
    /** `organization/project/stack` */
    readonly stack: string;
    /** The host's /etc/machine-id when the mark was made. */
    readonly machineId: string;
}

/** The facts of a host before anything on it was changed. */
export interface HostReport {
    /** Seconds since 1970 on the host's clock, and how far that is ahead of this machine's at the same time. */
    readonly clock: number;
    readonly hostname: string;
    readonly machineId: string;
    /** `debian 12 Debian GNU/Linux 12 (bookworm)`: id, version, and the name for people. */
    readonly os: { readonly id: string; readonly version: string; readonly name: string };
    /** As `uname -m` says: x86_64, aarch64. */
    readonly architecture: string;
    readonly kernel: string;
    /** Name of process 1. */
    readonly init: string;
    readonly cgroup: "v1" | "v2";
    /** KiB. */
    readonly memory: number;
    readonly swap: boolean;
    /** Root can lower its own OOM score. */
    readonly oomScore: boolean;
    /** The size of the connection tracking table can't be set. */
    readonly fixedConntrack: boolean;
    /** Bytes free by directory. */
    readonly room: Readonly<Record<string, number>>;
    readonly missing: readonly { readonly package: string; readonly program: string }[];
    /** Kernel features that it doesn't have. */
    readonly lacks: readonly string[];
    readonly claim?: Claim;
    /** Container runtimes and parts of Kubernetes that it has: units and programs with their paths, directories that aren't empty. */
    readonly foreign: readonly string[];
    readonly ports: readonly ListeningPort[];
    readonly firewalls: readonly string[];
    readonly macs: readonly string[];
    readonly addresses: readonly string[];
    /** The networks that it is in, as its addresses with their prefix lengths: `192.168.1.10/24`. */
    readonly networks: readonly string[];
    /** False where it has a clock that is set by the network and isn't yet. */
    readonly synchronized: boolean;
    /** Names that it can't resolve. */
    readonly unresolved: readonly string[];
    /** A file that names servers which pods can use, where /etc/resolv.conf names others or none. */
    readonly resolvConf?: string;
    /** Those of /etc/resolv.conf that pods can use, where it names others as well or none. */
    readonly nameServers?: readonly string[];
}

export interface ListeningPort {
    readonly protocol: string;
    readonly port: number;
    readonly address: string;
    /** Name of the process; empty where it isn't known. */
    readonly program: string;
}

/**
 * Reads what inspect.sh printed.
 *
 * @throws Error where the text isn't whole.
 */
export function parseReport(text: string): HostReport {
    const lines = text
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => line.trim().split(" "));
    if (lines.at(-1)?.[0] !== "end") {
        throw new Error(`the answer breaks off after "${lines.at(-1)?.join(" ") ?? ""}"`);
    }
    const all = (key: string): string[][] => lines.filter(([word]) => word === key).map(([, ...rest]) => rest);
    const one = (key: string): string => all(key)[0]?.join(" ") ?? "";
    const has = (key: string): boolean => all(key).length > 0;
    const [id = "", version = "", ...name] = all("os")[0] ?? [];
    return {
        clock: Number(one("clock")),
        hostname: one("hostname"),
        machineId: one("machine-id"),
        os: { id, version, name: name.join(" ") },
        architecture: one("architecture"),
        kernel: one("kernel"),
        init: one("init"),
        cgroup: one("cgroup") === "v2" ? "v2" : "v1",
        memory: Number(one("memory")),
        swap: has("swap"),
        oomScore: !has("no-oom-score"),
        fixedConntrack: has("fixed-conntrack"),
        room: Object.fromEntries(all("room").map(([directory = "", bytes = ""]) => [directory, Number(bytes)])),
        missing: all("missing").map(([pack = "", program = ""]) => ({ package: pack, program })),
        lacks: all("no-kernel").map(([feature = ""]) => feature),
        ...(has("claim-cluster")
            ? {
                  claim: {
                      cluster: one("claim-cluster"),
                      lab: one("claim-lab"),
                      stack: one("claim-stack"),
                      machineId: one("claim-machine-id"),
                  },
              }
            : {}),
        foreign: [
            ...all("unit").map(([unit = "", path = ""]) => `${unit} (${path})`),
            ...all("program").map(([path = ""]) => path),
            ...all("files").map(([directory = ""]) => `files in ${directory}`),
        ],
        ports: all("port").map(([protocol = "", port = "", address = "", program = ""]) => ({
            protocol,
            port: Number(port),
            address,
            program,
        })),
        firewalls: all("firewall").map(([firewall = ""]) => firewall),
        macs: all("mac").map(([mac = ""]) => mac),
        addresses: all("address").map(([address = ""]) => address),
        networks: all("address").map(([address = "", prefix = ""]) => `${address}/${prefix}`),
        synchronized: !has("unsynchronized"),
        unresolved: all("unresolved").map(([hostname = ""]) => hostname),
        ...(has("resolv-conf") ? { resolvConf: one("resolv-conf") } : {}),
        ...(has("name-servers") ? { nameServers: all("name-servers")[0] ?? [] } : {}),
    };
}
