import type { Route } from "../inspect/network";
import type { RouteAnswer } from "./routes";
import type { Loss } from "./types";
import { type Machine, nodeOfPodAddress, podCidrOf, whoIs, type World } from "./world";

/** Interfaces that a packet is put into another one by. */
export function isTunnel(machine: Machine, device: string | undefined): boolean {
    const kind = machine.network.links.find(({ ifname }) => ifname === device)?.linkinfo?.info_kind;
    return kind === "vxlan" || kind === "ipip" || kind === "tun" || device?.startsWith("tun-") === true;
}

/**
 * What is wrong with a machine's route to an address, as far as the pod network says where it must lead; undefined where it leads
 * there. It is asked only for packets that did not arrive.
 */
export function wrongRoute(world: World, machine: Machine, address: string, answer: RouteAnswer): Loss | undefined {
    const node = nodeOfPodAddress(world, address);
    if (node === undefined) {
        return "refused" in answer
            ? { why: `the kernel has no route: ${answer.refused}`, ...defaultRoute(machine) }
            : undefined;
    }
    if (node.name === machine.name) {
        return "refused" in answer || !isOwnBridge(machine, answer.route)
            ? {
                  why: `its route leads ${leads(answer)}, and not to the bridge of this machine's pods`,
                  should: `${podCidrOf(world, machine.name) ?? address} dev ${BRIDGES[world.podNetwork] ?? "the pods' bridge"}, by the bridge's own address`,
              }
            : undefined;
    }
    const right =
        !("refused" in answer) && (answer.route.gateway === node.address || isTunnel(machine, answer.route.dev));
    if (right) {
        return undefined;
    }
    if (world.podNetwork === "bridge" || machine.name === "here") {
        return {
            why: `its route leads ${leads(answer)}, and ${whoIs(world, address)} is on ${node.name}`,
            should:
                machine.name === "here"
                    ? `nothing: this host has no route to pods. Reach them by kubectl port-forward, or a service of type NodePort`
                    : "a pod network with routes between nodes (kubelab:network kubenet or cni): bridge has none",
        };
    }
    return {
        why: `its route leads ${leads(answer)}, and ${whoIs(world, address)} is on ${node.name}`,
        should: `${podCidrOf(world, node.name) ?? address} via ${node.address}, set by ${SETTER[world.podNetwork] ?? world.podNetwork}`,
        ...(world.podNetwork === "kubenet"
            ? { remedy: machine.command("systemctl reload kubenet") }
            : { remedy: world.kubectl(`-n kube-system get pods -l k8s-app=${world.podNetwork} -o wide`) }),
    };
}

function defaultRoute(machine: Machine): Pick<Loss, "should" | "remedy"> {
    return {
        should: "a default route, set by the machine's own network configuration",
        remedy: machine.command("ip route"),
    };
}

function leads(answer: RouteAnswer): string {
    if ("refused" in answer) {
        return `nowhere (${answer.refused})`;
    }
    const { dev, gateway } = answer.route;
    const by = answer.entry.dst === "default" ? "by the default route " : "";
    return `${by}to ${gateway ?? "its own segment"} (dev ${dev ?? "none"})`;
}

/** By pod network: the bridge that pods of a machine are on. */
export const BRIDGES: Readonly<Record<string, string>> = {
    kubenet: "cbr0",
    bridge: "cbr0",
    flannel: "cni0",
    "kube-router": "kube-bridge",
};

const SETTER: Readonly<Record<string, string>> = {
    kubenet: "kubenet.service",
    flannel: "flannel, from the Node objects",
    "kube-router": "kube-router, which learns it by BGP",
};

export function isOwnBridge(machine: Machine, { dev }: Route): boolean {
    return machine.network.links.find(({ ifname }) => ifname === dev)?.linkinfo?.info_kind === "bridge";
}
