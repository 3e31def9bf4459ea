import type { Check } from "./check";
import type { Host } from "./host";

interface Feature {
    readonly name: string;
    readonly module: string;
    /** Option of the kernel's build. */
    readonly option: string;
    /** A file that is there while the kernel can do it. */
    readonly sign?: string;
    readonly why: string;
}

const FEATURES: readonly Feature[] = [
    { name: "overlayfs", module: "overlay", option: "CONFIG_OVERLAY_FS", why: "machines' disks, containers" },
    { name: "bridge", module: "bridge", option: "CONFIG_BRIDGE", why: "the lab's network, pod networks" },
    {
        name: "br_netfilter",
        module: "br_netfilter",
        option: "CONFIG_BRIDGE_NETFILTER",
        sign: "/proc/sys/net/bridge",
        why: "services between pods of one node",
    },
    { name: "veth", module: "veth", option: "CONFIG_VETH", why: "machines' and pods' interfaces" },
    { name: "nf_tables", module: "nf_tables", option: "CONFIG_NF_TABLES", why: "address translation, kube-proxy" },
];

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "uts"];

/** What the machines, which share this kernel, need of it. */
export function kernelChecks(host: Host): Check[] {
    const release = (host.read("/proc/sys/kernel/osrelease") ?? "").trim();
    const kernel = { release, lists: moduleLists(host, release), config: buildOptions(host, release) };
    const namespaces = NAMESPACES.filter((each) => !host.exists(`/proc/self/ns/${each}`));
    return [
        ...FEATURES.map((feature) => check(host, kernel, feature)),
        namespaces.length === 0
            ? { name: "namespaces", state: "ok", detail: NAMESPACES.join(", ") }
            : {
                  name: "namespaces",
                  state: "missing",
                  detail: `this kernel has none of the kind ${namespaces.join(", ")}`,
                  remedy: "boot a kernel of your distribution",
              },
        ipvs(host, kernel),
    ];
}

interface Kernel {
    readonly release: string;
    /** modules.builtin and modules.dep; undefined where this kernel's modules aren't on the disk. */
    readonly lists: readonly string[] | undefined;
    /** The options that it was built with, where it tells. */
    readonly config: string | undefined;
}

type Found = "there" | "loadable" | "absent" | "unknown";

function find(host: Host, kernel: Kernel, { module, option, sign }: Omit<Feature, "name" | "why">): Found {
    const filesystems = host.read("/proc/filesystems") ?? "";
    if (
        (sign !== undefined && host.exists(sign)) ||
        host.exists(`/sys/module/${module}`) ||
        new RegExp(`\\t${module}$`, "m").test(filesystems) ||
        new RegExp(`^${option}=y$`, "m").test(kernel.config ?? "")
    ) {
        return "there";
    }
    const [builtIn, loadable] = (kernel.lists ?? []).map((list) => list.includes(`/${module}.ko`));
    if (builtIn || loadable) {
        return builtIn ? "there" : "loadable";
    }
    return kernel.lists === undefined && kernel.config === undefined ? "unknown" : "absent";
}

function check(host: Host, kernel: Kernel, feature: Feature): Check {
    const { name, module, option, why } = feature;
    const found = find(host, kernel, feature);
    switch (found) {
        case "there":
            return { name, state: "ok", detail: `for ${why}` };
        case "loadable":
            return { name, state: "ok", detail: `for ${why}; a module, loaded when it is needed` };
        case "absent": {
            const asModule = new RegExp(`^${option}=m$`, "m").test(kernel.config ?? "");
            const lost = asModule && kernel.lists === undefined;
            return {
                name,
                state: "missing",
                detail: lost
                    ? `for ${why}: not loaded, and the modules of the running kernel ${kernel.release} are not in /lib/modules`
                    : `for ${why}: the kernel ${kernel.release} doesn't have it`,
                remedy: lost
                    ? "reboot into the installed kernel"
                    : `install and boot a kernel with ${option} (on Debian linux-image-amd64, on Ubuntu linux-image-generic with linux-modules-extra)`,
            };
        }
        case "unknown":
            return {
                name,
                state: "warning",
                detail: `for ${why}: this kernel does not report whether it has it`,
                remedy: `modprobe ${module}`,
            };
    }
}

function ipvs(host: Host, kernel: Kernel): Check {
    const found = find(host, kernel, { module: "ip_vs", option: "CONFIG_IP_VS", sign: "/proc/net/ip_vs" });
    const there = found === "there" || found === "loadable";
    return {
        name: "ip_vs",
        state: "info",
        detail: there ? "here; nothing needs it yet" : "not found; nothing needs it: services are kube-proxy's",
    };
}

function moduleLists(host: Host, release: string): readonly string[] | undefined {
    const lists = ["modules.builtin", "modules.dep"].map((name) => host.read(`/lib/modules/${release}/${name}`));
    return lists.every((list) => list === undefined) ? undefined : lists.map((list) => list ?? "");
}

function buildOptions(host: Host, release: string): string | undefined {
    return host.read("/proc/config.gz") ?? host.read(`/boot/config-${release}`);
}
