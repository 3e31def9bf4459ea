import { cgroupLayout } from "../../machines/cgroups";
import { FALLBACK_STACK } from "../stack";
import type { Check } from "./check";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";
import { userCheck } from "./user";

/** The oldest Node.js that works, and the oldest that is maintained: https://github.com/nodejs/release#release-schedule */
const NODE_MAJOR = 20;
const MAINTAINED_NODE_MAJOR = 22;

/** Bits of CapEff in /proc/self/status that a lab needs; capability(7). */
const CAPABILITIES: Readonly<Record<string, bigint>> = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n, CAP_MKNOD: 27n };

/** Operating system, user and Node. */
export function systemChecks(host: Host, { stack, networking }: Pick<PlannedLab, "stack" | "networking">): Check[] {
    const user = networking === "user" && host.userId !== 0 ? userCheck(host) : root(host, stack);
    return [linux(host), user, node(host)];
}

function linux(host: Host): Check {
    const distribution = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(host.read("/etc/os-release") ?? "")?.[1];
    const release = (host.read("/proc/sys/kernel/osrelease") ?? "").trim();
    if (host.platform === "linux" && host.architecture === "x64") {
        return { name: "Linux on amd64", state: "ok", detail: `${distribution ?? "Linux"}, kernel ${release}` };
    }
    return {
        name: "Linux on amd64",
        state: "missing",
        detail: `this is ${host.platform} on ${host.architecture}`,
        remedy: "use a Linux machine or virtual machine with an amd64 processor",
    };
}

function root(host: Host, stack: string): Check {
    if (host.userId !== 0) {
        return {
            name: "root",
            state: "missing",
            detail: `this is user ${host.userId ?? "unknown"}; network namespaces, mounts and cgroups are root's`,
            // sudo drops KUBELAB_STACK.
            remedy:
                `sudo scripts/lab up${stack === FALLBACK_STACK ? "" : ` --stack ${stack}`}, or virtual machines without root: ` +
                "kubelab:local: {driver: qemu, networking: user}",
        };
    }
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(host.read("/proc/self/status") ?? "")?.[1];
    const lacking = Object.entries(CAPABILITIES)
        .filter(([, bit]) => effective !== undefined && ((BigInt(`0x${effective}`) >> bit) & 1n) === 0n)
        .map(([name]) => name);
    return lacking.length === 0
        ? { name: "root", state: "ok", detail: "with the capabilities for machines" }
        : {
              name: "root",
              state: "missing",
              detail: `root without ${lacking.join(", ")}, as in a container`,
              remedy: "run it on the host itself, in a virtual machine, or in a privileged container",
          };
}

function node(host: Host): Check {
    const name = `Node.js ${NODE_MAJOR} or later`;
    const major = Number(host.nodeVersion.split(".")[0]);
    if (major < NODE_MAJOR) {
        const remedy = "https://nodejs.org/ or, on Debian 13 and Ubuntu 24.04, apt-get install nodejs npm";
        return { name, state: "missing", detail: host.nodeVersion, remedy };
    }
    if (major < MAINTAINED_NODE_MAJOR) {
        const detail = `${host.nodeVersion} works, and is past its end of life`;
        return { name, state: "info", detail, remedy: `install Node.js ${MAINTAINED_NODE_MAJOR} or later` };
    }
    return { name, state: "ok", detail: host.nodeVersion };
}

const V1_CONTROLLERS = ["cpu", "cpuacct", "cpuset", "memory", "pids"];
const V2_CONTROLLERS = ["cpu", "cpuset", "memory", "pids"];

/** How cgroups are arranged, and whether a kubelet finds its controllers. https://systemd.io/CGROUP_DELEGATION/ */
export function cgroupCheck(host: Host): Check {
    const name = "cgroups";
    const mounts = host.read("/proc/self/mounts") ?? "";
    if (!/^\S+ \S+ cgroup2? /m.test(mounts)) {
        return {
            name,
            state: "missing",
            detail: "no cgroup hierarchy is mounted",
            remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
        };
    }
    const layout = cgroupLayout(mounts, host.exists("/run/systemd/system"));
    const v2 = layout.kind === "v2";
    const there = v2
        ? (host.read(`${layout.hierarchy}/cgroup.controllers`) ?? "").trim().split(/\s+/)
        : [...mounts.matchAll(/^\S+ \S+ cgroup (\S+)/gm)].flatMap(([, options = ""]) => options.split(","));
    const lacking = (v2 ? V2_CONTROLLERS : V1_CONTROLLERS).filter((controller) => !there.includes(controller));
    const hybrid = !v2 && /^\S+ \S+ cgroup2 /m.test(mounts);
    const by = v2 && layout.systemd ? "systemd gives them out (systemd-run)" : "the driver makes them itself";
    const arranged = `${v2 ? "v2" : hybrid ? "hybrid: v1 controllers beside a v2 hierarchy" : "v1"}; ${by}`;
    if (lacking.length === 0) {
        return { name, state: "ok", detail: arranged };
    }
    return {
        name,
        state: "missing",
        detail: `${arranged}; without the controllers ${lacking.join(", ")}`,
        remedy: lacking.includes("memory")
            ? "boot with cgroup_enable=memory on the kernel's command line"
            : `take ${lacking.join(", ")} out of cgroup_disable= on the kernel's command line`,
    };
}
