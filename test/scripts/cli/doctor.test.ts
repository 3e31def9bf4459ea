import { checkHost, packagesToInstall, refuseMissing } from "../../../scripts/cli/doctor";
import type { Check } from "../../../scripts/cli/doctor/check";
import { commandsOfTests } from "../../../scripts/cli/doctor/commands";
import { thisHost } from "../../../scripts/cli/doctor/host";
import type { PlannedLab } from "../../../scripts/cli/doctor/lab";
import { renderChecks, renderVerdict } from "../../../scripts/cli/doctor/render";
import { UserError } from "../../../scripts/support/errors";
import { type Differences, disk, host, lab } from "./doctor-hosts";

const plain = (text: string): string => text.replace(/\u001b\[\d+m/g, "");

/** What `up` would print: `name: detail → remedy` of all that is missing or may be in the way. */
function problems(checks: readonly Check[]): string[] {
    return checks
        .filter(({ state }) => state === "missing" || state === "warning")
        .map(({ name, state, detail, remedy }) => `${state} ${name}: ${detail} → ${remedy}`);
}

const V1 = ["cpu", "cpuacct", "cpuset", "pids"].map((name) => `cgroup /sys/fs/cgroup/${name} cgroup rw,${name} 0 0\n`);
const MEMORY = "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n";
const NO_MODULES = {
    "/lib/modules/6.1.0-41-amd64/modules.builtin": undefined,
    "/lib/modules/6.1.0-41-amd64/modules.dep": undefined,
};
const LOADED = Object.fromEntries(
    ["overlay", "bridge", "veth", "nf_tables"].map((name) => [`/sys/module/${name}/refcnt`, "1"]),
);
const route = (name: string, destination: string): string =>
    `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n${name}\t${destination}\t00000000\t0001\t0\t0\t0\t00FFFFFF\n`;
const listening = (address: string): string => `  sl  local\n   0: ${address}:1388 ${"0".repeat(8)}:0000 0A 0\n`;
const notCached = (source: PlannedLab["parts"]["source"]): Partial<PlannedLab> => ({
    parts: { source, cached: false, go: "1.26.6" },
});

const HOSTS: readonly (readonly [string, Differences, Partial<PlannedLab>, readonly string[]])[] = [
    ["a Debian host with systemd and cgroup v2", {}, {}, []],
    [
        "a host without QEMU that is to have virtual machines",
        { without: ["dpkg-deb"] },
        { drivers: { controlPlanes: "nspawn", workers: "qemu" } },
        [
            "missing commands: not here: qemu-system-x86_64, qemu-img, mke2fs, dpkg-deb, xz → apt-get install --yes --no-install-recommends qemu-system-x86 qemu-utils e2fsprogs dpkg xz-utils",
        ],
    ],
    [
        "somebody who isn't root",
        { userId: 1000 },
        {},
        [
            "missing root: this is user 1000; network namespaces, mounts and cgroups are root's → sudo scripts/lab up, or virtual machines without root: kubelab:local: {driver: qemu, networking: user}",
        ],
    ],
    [
        "somebody who isn't root, with another stack: sudo would drop a KUBELAB_STACK",
        { userId: 1000 },
        { stack: "cni" },
        [
            "missing root: this is user 1000; network namespaces, mounts and cgroups are root's → sudo scripts/lab up --stack cni, or virtual machines without root: kubelab:local: {driver: qemu, networking: user}",
        ],
    ],
    [
        "root in a container",
        { files: { "/proc/self/status": "CapEff:\t00000000a80425fb\n" } },
        {},
        [
            "missing root: root without CAP_NET_ADMIN, CAP_SYS_ADMIN, as in a container → run it on the host itself, in a virtual machine, or in a privileged container",
        ],
    ],
    [
        "a Mac",
        { platform: "darwin", architecture: "arm64" },
        {},
        [
            "missing Linux on amd64: this is darwin on arm64 → use a Linux machine or virtual machine with an amd64 processor",
        ],
    ],
    [
        "an old Node",
        { nodeVersion: "18.20.4" },
        {},
        [
            "missing Node.js 20 or later: 18.20.4 → https://nodejs.org/ or, on Debian 13 and Ubuntu 24.04, apt-get install nodejs npm",
        ],
    ],
    [
        "a minimal Debian",
        { without: ["systemd-nspawn", "mmdebstrap", "flock", "unshare", "zstd"] },
        {},
        [
            "missing commands: not here: systemd-nspawn, mmdebstrap, unshare, flock, zstd → apt-get install --yes --no-install-recommends systemd-container mmdebstrap util-linux zstd",
        ],
    ],
    [
        "Ubuntu, without the keys that its machines' Debian is signed with",
        {
            files: {
                "/etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nID=ubuntu\n',
                "/usr/share/keyrings/debian-archive-keyring.gpg": undefined,
            },
        },
        { rootfsCached: false },
        [
            "missing commands: not here: Debian's archive keys → apt-get install --yes --no-install-recommends debian-archive-keyring",
        ],
    ],
    [
        "Ubuntu, when the root file system is in the cache",
        { files: { "/usr/share/keyrings/debian-archive-keyring.gpg": undefined } },
        {},
        [],
    ],
    [
        "Fedora",
        { without: ["apt-get", "mmdebstrap"] },
        {},
        [
            "missing commands: not here: mmdebstrap → install them with this system's package manager; on Debian and Ubuntu: apt-get install --yes --no-install-recommends mmdebstrap",
        ],
    ],
    [
        "a module to be loaded, and no modprobe",
        { without: ["modprobe"] },
        {},
        ["missing commands: not here: modprobe → apt-get install --yes --no-install-recommends kmod"],
    ],
    [
        "a kernel without br_netfilter",
        { files: { ...LOADED, ...NO_MODULES, "/proc/config.gz": "# CONFIG_BRIDGE_NETFILTER is not set\n" } },
        {},
        [
            "missing br_netfilter: for services between pods of one node: the kernel 6.1.0-41-amd64 doesn't have it → install and boot a kernel with CONFIG_BRIDGE_NETFILTER (on Debian linux-image-amd64, on Ubuntu linux-image-generic with linux-modules-extra)",
        ],
    ],
    [
        "a kernel that was upgraded and not booted yet",
        {
            files: {
                ...{ ...LOADED, ...NO_MODULES, "/lib/modules/6.1.0-42-amd64/modules.dep": "" },
                "/boot/config-6.1.0-41-amd64": "CONFIG_BRIDGE_NETFILTER=m\n",
            },
        },
        {},
        [
            "missing br_netfilter: for services between pods of one node: not loaded, and the modules of the running kernel 6.1.0-41-amd64 are not in /lib/modules → reboot into the installed kernel",
        ],
    ],
    [
        "a kernel that tells nothing",
        { files: { ...LOADED, ...NO_MODULES, "/boot/config-6.1.0-41-amd64": undefined } },
        {},
        [
            "warning br_netfilter: for services between pods of one node: this kernel does not report whether it has it → modprobe br_netfilter",
        ],
    ],
    [
        "a kernel without network namespaces",
        { files: { "/proc/self/ns/net": undefined } },
        {},
        ["missing namespaces: this kernel has none of the kind net → boot a kernel of your distribution"],
    ],
    [
        "cgroup v1 without the memory controller",
        { files: { "/proc/self/mounts": V1.join("") } },
        {},
        [
            "missing cgroups: v1; the driver makes them itself; without the controllers memory → boot with cgroup_enable=memory on the kernel's command line",
        ],
    ],
    [
        "cgroup v2 with a controller switched off",
        { files: { "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n" } },
        {},
        [
            "missing cgroups: v2; systemd gives them out (systemd-run); without the controllers cpuset → take cpuset out of cgroup_disable= on the kernel's command line",
        ],
    ],
    [
        "no cgroups at all",
        { files: { "/proc/self/mounts": "proc /proc proc rw 0 0\n" } },
        {},
        ["missing cgroups: no cgroup hierarchy is mounted → mount -t cgroup2 cgroup2 /sys/fs/cgroup"],
    ],
    [
        "little disk, on one file system, and nothing in the cache",
        { disks: { "/root/.cache/kubelab": disk("1", 4), "/var/lib/kubelab": disk("1", 4) } },
        { ...notCached("build"), rootfsCached: false },
        [
            "missing disk: 4.0 GiB free for /root/.cache/kubelab and /var/lib/kubelab, and 5.0 GiB needed: parts 3.0 GiB, root file system 1.0 GiB, lab 1.0 GiB → make room, or set KUBELAB_CACHE to a directory on a larger file system",
        ],
    ],
    [
        "little disk for labs, on a file system of their own",
        { disks: { "/var/lib/kubelab": disk("2", 0.5) } },
        {},
        ["missing disk: 0.5 GiB free for /var/lib/kubelab, and 1.0 GiB needed: lab 1.0 GiB → make room"],
    ],
    [
        "little memory",
        { files: { "/proc/meminfo": "MemTotal: 2000000 kB\nMemAvailable:     943718 kB\n" } },
        {},
        [
            "warning memory: 0.9 GiB available; 3 nodes take about 1.5 GiB → end other programs, or have fewer workers: --config kubelab:workers=1",
        ],
    ],
    [
        "many nodes for the kernel's default of inotify instances",
        {},
        { nodes: 9 },
        ["warning inotify: 128 instances; 9 nodes may need 220 → sysctl -w fs.inotify.max_user_instances=512"],
    ],
    [
        "a VPN in the lab's range",
        { files: { "/proc/net/route": route("tun0", "0000F00A") } },
        {},
        [
            "missing address range: 10.240.0.0/24 overlaps with 10.240.0.0/24, which a route of this host through the interface tun0 uses → choose another range in the stack's config: kubelab:local: {network: 10.241.0.0/24}",
        ],
    ],
    [
        "another lab in the lab's range, stopped",
        { files: { "/var/lib/kubelab/other/network.json": '{"lab":"other","network":"10.240.0.0/16"}' } },
        {},
        [
            'missing address range: 10.240.0.0/24 overlaps with 10.240.0.0/16, which the lab "other" uses → choose another range in the stack\'s config: kubelab:local: {network: 10.241.0.0/24}',
        ],
    ],
    [
        "the lab itself, up",
        {
            files: {
                "/proc/net/route": route("lab-kubenet", "0000F00A"),
                "/var/lib/kubelab/kubenet/network.json": '{"network":"10.240.0.0/24"}',
                "/sys/class/net/lab-kubenet/bridge/x": "",
                "/proc/meminfo": "MemAvailable: 100000 kB\n",
            },
            addresses: [{ interface: "lab-kubenet", cidr: "10.240.0.1/24" }],
            disks: { "/var/lib/kubelab": disk("2", 0.1) },
        },
        {},
        [],
    ],
    [
        "another registry on port 5000",
        { files: { "/proc/net/tcp6": listening("0".repeat(32)) } },
        {},
        [
            "missing registry port: a program listens on port 5000 of every address (::), so 10.240.0.1 has none left → ss -ltnp 'sport = :5000' says which; end it, or choose another port: kubelab:local: {registryPort: 5001}",
        ],
    ],
    [
        "a program on port 5000 of the loopback interface only",
        { files: { "/proc/net/tcp": listening("0100007F") } },
        {},
        [],
    ],
    [
        "no Go, when the parts are to be built",
        { go: undefined },
        notCached("build"),
        [
            "missing Go: none here; building the parts takes Go 1.26.6 or later → install Go 1.26.6 or later: https://go.dev/doc/install",
        ],
    ],
    [
        "no Go and no compiler, when the parts may be downloaded",
        { go: undefined, without: ["gcc"] },
        notCached("auto"),
        [
            "warning Go: none here; building the parts takes Go 1.26.6 or later; needed if the parts have to be built → install Go 1.26.6 or later: https://go.dev/doc/install",
            "warning C toolchain: not here: gcc; needed if the parts have to be built → apt-get install --yes --no-install-recommends gcc",
        ],
    ],
    ["no Go, when the parts are in the cache", { go: undefined }, {}, []],
    [
        "a Go that is too old to get a newer one",
        { go: "/usr/lib/go-1.19/bin/go", files: { "/usr/lib/go-1.19/VERSION": "go1.19.8" } },
        notCached("build"),
        [
            "missing Go: /usr/lib/go-1.19/bin/go is go1.19.8; the parts need Go 1.26.6 → install Go 1.26.6 or later: https://go.dev/doc/install",
        ],
    ],
    [
        "a Go that may not get a newer one",
        { files: { "/usr/local/go/VERSION": "go1.24.4\n", "/usr/local/go/go.env": "GOTOOLCHAIN=local\n" } },
        notCached("build"),
        [
            "missing Go: /usr/local/go/bin/go is go1.24.4, kept there by GOTOOLCHAIN=local; the parts need Go 1.26.6 → install Go 1.26.6 or later: https://go.dev/doc/install",
        ],
    ],
    [
        "several problems at once",
        { userId: 1000, without: ["nft"], disks: { "/var/lib/kubelab": disk("2", 0.5) } },
        {},
        [
            "missing root: this is user 1000; network namespaces, mounts and cgroups are root's → sudo scripts/lab up, or virtual machines without root: kubelab:local: {driver: qemu, networking: user}",
            "missing commands: not here: nft → apt-get install --yes --no-install-recommends nftables",
            "missing disk: 0.5 GiB free for /var/lib/kubelab, and 1.0 GiB needed: lab 1.0 GiB → make room",
        ],
    ],
];

test.each(HOSTS)("problems of %s", (_name, differences, planned, expected) => {
    expect(problems(checkHost(host(differences), lab(planned)))).toEqual(expected);
});

const detail = (name: string, differences: Differences, planned: Partial<PlannedLab> = {}): string | undefined =>
    checkHost(host(differences), lab(planned)).find((check) => check.name === name)?.detail;

test.each([
    ["cgroups", {}, "v2; systemd gives them out (systemd-run)"],
    ["cgroups", { files: { "/run/systemd/system/x": undefined } }, "v2; the driver makes them itself"],
    ["cgroups", { files: { "/proc/self/mounts": [...V1, MEMORY].join("") } }, "v1; the driver makes them itself"],
    [
        "cgroups",
        {
            files: {
                "/proc/self/mounts": [...V1, MEMORY, "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"].join(""),
            },
        },
        "hybrid: v1 controllers beside a v2 hierarchy; the driver makes them itself",
    ],
    [
        "swap",
        { files: { "/proc/swaps": "Filename\tType\n/dev/sda2  partition 1 0 -2\n" } },
        "on (/dev/sda2); kubelets of a local lab start with it and without",
    ],
    ["Node.js 20 or later", { nodeVersion: "20.19.2" }, "20.19.2 works, and is past its end of life"],
    ["Node.js 20 or later", { nodeVersion: "22.21.0" }, "22.21.0"],
    ["overlayfs", {}, "for machines' disks, containers; a module, loaded when it is needed"],
    ["overlayfs", { files: { "/proc/filesystems": "nodev\toverlay\n" } }, "for machines' disks, containers"],
    [
        "engine",
        {},
        "Pulumi CLI not in the cache: it is installed, or built by Go where Pulumi's installer can't be reached",
    ],
    ["engine", { with: { pulumi: "/opt/pulumi/pulumi" } }, "Pulumi CLI /opt/pulumi/pulumi, if it is new enough"],
] as const)("%s of a host: %#", (name, differences, expected) => {
    expect(detail(name, differences)).toBe(expected);
});

test("the engine of a host that has it is the one in the cache", () => {
    expect(detail("engine", {}, { cliCached: true })).toBe("Pulumi CLI in /root/.cache/kubelab");
});

test("an older Go from 1.21 on gets the one that is needed", () => {
    expect(detail("Go", { files: { "/usr/local/go/VERSION": "go1.24.4\n" } }, notCached("build"))).toBe(
        "/usr/local/go/bin/go, go1.24.4; it gets Go 1.26.6 by itself",
    );
});

test("an ordinary user with virtual machines needs no root, no kernel features and no cgroups, but subordinate ids", () => {
    const planned: Partial<PlannedLab> = { networking: "user", drivers: { controlPlanes: "qemu", workers: "qemu" } };
    const checks = checkHost(host({ userId: 1000 }), lab(planned));
    expect(checks.filter(({ state }) => state === "missing").map(({ name }) => name)).toEqual([
        "ordinary user",
        "commands",
    ]);
    expect(problems(checks)[0]).toMatch(
        /\/etc\/subuid and \/etc\/subgid have no 65536 ids for .*→ .*usermod --add-subuids/,
    );
    expect(problems(checks)[1]).toContain("uidmap");
    expect(problems(checks)[1]).not.toContain("systemd-container");
    expect(problems(checkHost(host({ userId: 1000, go: undefined }), lab(planned))).at(-1)).toMatch(
        /^missing Go for the lab's switch: none here; building the lab's switch takes Go/,
    );
});

test("the table has a line per check, and what to do below those that ask for it", () => {
    const checks: readonly Check[] = [
        { name: "root", state: "missing", detail: "this is user 1000", remedy: "sudo scripts/lab up" },
        { name: "memory", state: "warning", detail: "0.9 GiB available", remedy: "end other programs" },
        { name: "cgroups", state: "ok", detail: "v2" },
        { name: "swap", state: "info", detail: "off" },
    ];
    expect(plain(`${renderChecks(checks)}\n${renderVerdict(checks)}`)).toBe(
        [
            "  ✗ root     this is user 1000",
            "             → sudo scripts/lab up",
            "  ! memory   0.9 GiB available",
            "             → end other programs",
            "  ✓ cgroups  v2",
            "  · swap     off",
            "✗ 1 problem, 1 warning",
        ].join("\n"),
    );
});

test("up installs packages where they are all that is missing, for root with apt-get", () => {
    const packages = (differences: Differences): readonly string[] =>
        packagesToInstall(checkHost(host(differences), lab()), host(differences));
    expect(packages({ without: ["nft", "flock", "unshare"] })).toEqual(["nftables", "util-linux"]);
    expect(packages({})).toEqual([]);
    expect(packages({ without: ["nft"], userId: 1000 })).toEqual([]);
    expect(packages({ without: ["nft", "apt-get"] })).toEqual([]);
    expect(packages({ without: ["nft"], files: { "/proc/self/ns/net": undefined } })).toEqual([]);
});

test("up refuses with everything that is missing at once", () => {
    const checks = checkHost(host({ userId: 1000, without: ["nft"] }), lab({ nodes: 9 }));
    const refusal = (): void => refuseMissing(checks);
    expect(refusal).toThrow(UserError);
    expect(refusal).toThrow(/^A lab can't come up here yet:\n[^]*root[^]*sudo scripts\/lab up[^]*nft[^]*nftables/);
    expect(refusal).not.toThrow(/inotify/);
    expect(() => refuseMissing(checkHost(host(), lab({ nodes: 9 })))).not.toThrow();
});

test("a host whose machines are elsewhere needs no more than what reaches them", () => {
    const small: Differences = { platform: "darwin", userId: 501, without: ["nft", "systemd-nspawn"] };
    expect(problems(checkHost(host(small), lab({ provider: "aws" })))).toEqual([]);
    expect(problems(checkHost(host({ ...small, without: ["ssh"] }), lab({ provider: "aws" })))).toEqual([
        expect.stringMatching(/^missing commands: not here: ssh/),
    ]);
});

test("the tests call a few commands more", () => {
    const own = ["shellcheck", "openssl", "iperf3"];
    expect(commandsOfTests(host(), { virtual: false, browser: false }).packages).toEqual(own);
    const forMachines = ["qemu-system-x86", "qemu-utils", "e2fsprogs", "xz-utils", "uidmap"];
    expect(commandsOfTests(host(), { virtual: true, browser: false }).packages).toEqual([...forMachines, ...own]);
    expect(commandsOfTests(host(), { virtual: false, browser: true }).packages).toEqual([...own, "chromium"]);
});

test("this host is asked without a process: its own commands, files and file systems", () => {
    const here = thisHost();
    expect(here.find("sh")).toMatch(/^\//);
    expect(here.find("no-such-command")).toBeUndefined();
    expect(here.read("/proc/self/mounts")).toContain(" /proc ");
    expect(here.read("/no/such/file")).toBeUndefined();
    expect(here.list("/no/such/directory")).toEqual([]);
    expect(here.fileSystem("/no/such/directory")).toEqual({
        ...here.fileSystem("/"),
        free: expect.any(Number) as number,
    });
});

describe("what the machines of a lab would be", () => {
    const detail = (differences: Differences, plan: Partial<PlannedLab> = {}): string | undefined =>
        checkHost(host(differences), lab(plan)).find(({ name }) => name === "machines")?.detail;
    const FLAGS = "flags\t\t: fpu vme vmx sse2\n";
    const KVM = { files: { "/dev/kvm": "", "/proc/cpuinfo": FLAGS } };
    const QEMU = { "qemu-system-x86_64": "/usr/bin/qemu-system-x86_64" };

    it("is containers where there is no KVM, or no QEMU", () => {
        expect(detail({ with: QEMU })).toBe("machines are systemd-nspawn containers: this host has no /dev/kvm");
        expect(detail(KVM)).toBe(
            "machines are systemd-nspawn containers: this host has KVM, but no qemu-system-x86_64",
        );
        const files = { ...KVM.files, "/proc/cpuinfo": FLAGS.replace("vmx ", "") };
        expect(detail({ files, with: QEMU })).toMatch(
            /containers: this host's processor has no hardware virtualization/,
        );
    });

    it("is virtual machines where there are both, or where they are asked for", () => {
        expect(detail({ ...KVM, with: QEMU })).toBe(
            "machines are virtual machines of QEMU: this host has KVM and QEMU",
        );
        expect(detail({ with: QEMU }, { drivers: { controlPlanes: "nspawn", workers: "qemu" } })).toBe(
            "control planes are systemd-nspawn containers: kubelab:local.driver says so; " +
                "workers are virtual machines of QEMU: kubelab:local.driver says so; " +
                "without KVM they are emulated, some twenty times slower",
        );
    });
});
