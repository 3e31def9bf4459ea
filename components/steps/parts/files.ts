import type { Machine } from "../../machines/machine";

/** What the control plane's units run; as static pods they have them in their images. */
const CONTROL_PLANE_PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

/** What steps and people use beside them. */
const CONTROL_PLANE_TOOLS = ["etcdctl", "etcdutl", "kubectl"] as const;

const NODE_PROGRAMS = ["kubelet", "kube-proxy", "containerd", "ctr", "containerd-shim-runc-v2", "runc"] as const;

/** https://www.cni.dev/plugins/current/ */
const CNI_PLUGINS = [
    "bandwidth",
    "bridge",
    "firewall",
    "host-device",
    "host-local",
    "loopback",
    "portmap",
    "ptp",
    "static",
    "tuning",
] as const;

/**
 * A control plane's processes, just the tools of one, or a node's: two deliveries to one machine can run in parallel.
 */
export type PartsRole = "control-plane" | "control-plane-tools" | "node";

/**
 * Paths in a parts directory of the files that a machine needs for a role, e.g. `bin/etcd`. A control-plane machine is a node
 * too: it needs the files of both. One whose processes are static pods needs just the tools.
 */
export function filesForRole(role: PartsRole): string[] {
    switch (role) {
        case "control-plane":
            return [...CONTROL_PLANE_PROGRAMS, ...CONTROL_PLANE_TOOLS].map((name) => `bin/${name}`);
        case "control-plane-tools":
            return CONTROL_PLANE_TOOLS.map((name) => `bin/${name}`);
        case "node":
            return [...NODE_PROGRAMS.map((name) => `bin/${name}`), ...CNI_PLUGINS.map((name) => `cni/${name}`)];
    }
}

/** Paths in a parts directory of all that a machine needs, over all deliveries: the rest is removed. */
export function allFilesOf(machine: Pick<Machine, "role">): string[] {
    return [...filesForRole("node"), ...(machine.role === "control-plane" ? filesForRole("control-plane") : [])];
}
