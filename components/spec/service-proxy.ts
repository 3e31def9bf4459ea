import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import type { ClusterSpec, ServiceProxy } from "./types";

/** Whether the kernel that the nodes run on has a module, loaded, built in or loadable. */
export type KernelProbe = (module: string) => boolean;

/** Asks the kernel of this host, which machines of a local lab share. */
export function hostKernelHas(module: string, root = "/"): boolean {
    if (existsSync(`${root}sys/module/${module}`)) {
        return true;
    }
    const modules = `${root}lib/modules/${release()}`;
    return ["modules.builtin", "modules.dep"].some((list) => {
        const file = `${modules}/${list}`;
        return existsSync(file) && new RegExp(`/${module}\\.ko`, "m").test(readFileSync(file, "utf8"));
    });
}

/**
 * Decides who implements services where the config says `auto`: kube-router by IPVS where it is the pod network, the nodes'
 * kernel is known to have `ip_vs` and `ipvsAvailable`; else kube-proxy.
 */
export function resolveServiceProxy(
    cluster: Pick<ClusterSpec, "provider" | "network" | "cniPlugin">,
    kernelHas: KernelProbe,
    ipvsAvailable: boolean,
): ServiceProxy {
    const kubeRouter = cluster.network === "cni" && cluster.cniPlugin === "kube-router";
    return ipvsAvailable && kubeRouter && cluster.provider === "local" && kernelHas("ip_vs") ? "ipvs" : "kube-proxy";
}
