import type { FileSystem, Host } from "../../../scripts/cli/doctor/host";
import type { PlannedLab } from "../../../scripts/cli/doctor/lab";

const GIB = 1024 ** 3;

/** How a host differs from a Debian machine with systemd, cgroup v2 and everything that a lab needs. */
export interface Differences extends Partial<Pick<Host, "platform" | "architecture" | "userId" | "nodeVersion">> {
    /** Texts by path; `undefined` takes a file away. A path that others begin with is there too. */
    readonly files?: Readonly<Record<string, string | undefined>>;
    /** Commands that aren't on PATH. */
    readonly without?: readonly string[];
    /** Where commands are that a usual host doesn't have. */
    readonly with?: Readonly<Record<string, string>>;
    readonly go?: string | undefined;
    readonly environment?: Host["environment"];
    readonly disks?: Readonly<Record<string, FileSystem>>;
    readonly addresses?: ReturnType<Host["addresses"]>;
}

const COMMANDS = [
    ...["systemd-nspawn", "mmdebstrap", "ip", "nft", "iptables", "mount", "unshare", "flock", "ssh", "tar", "zstd"],
    ...["curl", "modprobe", "systemd-run", "apt-get", "gcc", "pkg-config", "dpkg-deb"],
];

const RELEASE = "6.1.0-41-amd64";
const MODULES = `/lib/modules/${RELEASE}`;
const V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n";
const ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n";

const FILES: Readonly<Record<string, string>> = {
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
    "/proc/sys/kernel/osrelease": `${RELEASE}\n`,
    "/proc/self/status": "CapEff:\t000001ffffffffff\n",
    "/proc/self/mounts": `proc /proc proc rw 0 0\n${V2}`,
    "/proc/filesystems": "nodev\tproc\n\text4\n",
    "/proc/meminfo": "MemTotal:        8000000 kB\nMemAvailable:    6291456 kB\n",
    "/proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    "/proc/sys/fs/inotify/max_user_instances": "128\n",
    "/proc/net/route": ROUTES,
    "/proc/net/tcp": "  sl  local_address rem_address   st\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
    "/run/systemd/system/x": "",
    [`${MODULES}/modules.builtin`]: "kernel/net/ipv4/tcp_cubic.ko\n",
    [`${MODULES}/modules.dep`]: ["fs/overlayfs/overlay", "net/bridge/bridge", "net/bridge/br_netfilter"]
        .concat(["drivers/net/veth", "net/netfilter/nf_tables", "net/netfilter/ipvs/ip_vs"])
        .map((name) => `kernel/${name}.ko:\n`)
        .join(""),
    [`/boot/config-${RELEASE}`]: "CONFIG_VETH=m\nCONFIG_BRIDGE=m\nCONFIG_NF_TABLES=m\n",
    ...Object.fromEntries(["cgroup", "ipc", "mnt", "net", "pid", "uts"].map((name) => [`/proc/self/ns/${name}`, ""])),
    "/usr/share/keyrings/debian-archive-keyring.gpg": "",
    "/usr/include/seccomp.h": "",
    "/usr/include/stdio.h": "",
    "/usr/local/go/VERSION": "go1.26.8\n",
};

export function host(differences: Differences = {}): Host {
    const entries = Object.entries({ ...FILES, ...differences.files });
    const files = new Map(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
    const { without = [], with: more = {}, disks = {} } = differences;
    const commands = new Map([...COMMANDS.map((name) => [name, `/usr/bin/${name}`] as const), ...Object.entries(more)]);
    return {
        platform: "linux",
        architecture: "x64",
        userId: 0,
        nodeVersion: "20.19.2",
        environment: {},
        read: (path) => files.get(path),
        exists: (path) => files.has(path) || [...files.keys()].some((file) => file.startsWith(`${path}/`)),
        list: (path) => [
            ...new Set(
                [...files.keys()]
                    .filter((file) => file.startsWith(`${path}/`))
                    .map((file) => file.slice(path.length + 1).split("/")[0] ?? ""),
            ),
        ],
        find: (command) => (without.includes(command) ? undefined : commands.get(command)),
        findGo: () => ("go" in differences ? differences.go : "/usr/local/go/bin/go"),
        fileSystem: (path) => disks[path] ?? { id: "1", free: 40 * GIB },
        addresses: () => [{ interface: "lo", cidr: "127.0.0.1/8" }],
        ...withoutUndefined(differences),
    };
}

/** `userId: undefined` isn't asked of any test, so that what is undefined is what isn't given. */
function withoutUndefined({ platform, architecture, userId, nodeVersion, environment, addresses }: Differences) {
    const given = { platform, architecture, userId, nodeVersion, environment };
    const plain = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    return { ...plain, ...(addresses ? { addresses: () => addresses } : {}) } as Partial<Host>;
}

export function lab(differences: Partial<PlannedLab> = {}): PlannedLab {
    return {
        name: "kubenet",
        stack: "kubenet",
        provider: "local",
        nodes: 3,
        network: "10.240.0.0/24",
        registryPort: 5000,
        drivers: { controlPlanes: "auto", workers: "auto" },
        networking: "bridge",
        cache: "/root/.cache/kubelab",
        rootfsCached: true,
        parts: { source: "auto", cached: true, go: "1.26.6" },
        repository: "/srv/kubelab",
        cliCached: false,
        ...differences,
    };
}

export const disk = (id: string, gib: number): FileSystem => ({ id, free: gib * GIB });
