import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { ROLES } from "./per-role";
import type { ClusterSpec, Role, ServiceProxy } from "./types";

/** Whether the kernel that the nodes run on has a module: loaded, built in or loadable. */
export type KernelProbe = (module: string) => boolean;

/** Asks the kernel of this host, which the machines of a local lab share. `root` is where /proc, /sys and /lib are. */
export function hostKernelHas(module: string, root = "/"): boolean {
    if ([`sys/module/${module}`, `proc/net/${module}`].some((path) => existsSync(`${root}${path}`))) {
        return true;
    }
    const lists = ["modules.builtin", "modules.dep"].map((list) => `${root}lib/modules/${release()}/${list}`);
    return lists.some((list) => existsSync(list) && readFileSync(list, "utf8").includes(`/${module}.ko`));
}

/** Whether the machines of a role have a module in their kernel. */
export type RoleKernels = (role: Role) => KernelProbe;

/**
 * Decides who implements services where the config says `auto`: kube-router by IPVS where it is the pod network and the nodes'
 * kernel is known to have `ip_vs`; kube-proxy anywhere else. All nodes get the same: roles differ only where the config says so.
 */
export function resolveServiceProxy(
    cluster: Pick<ClusterSpec, "provider" | "network" | "cniPlugin">,
    kernels: RoleKernels,
): ServiceProxy {
    const kubeRouter = cluster.network === "cni" && cluster.cniPlugin === "kube-router";
    return kubeRouter && cluster.provider === "local" && Object.values(ROLES).every((role) => kernels(role)("ip_vs"))
        ? "ipvs"
        : "kube-proxy";
}
