import type { StackNode } from "../cli/stack";
import { contains, parseAddress, parseCidr } from "../../components/cluster-spec/cidr";
import type { MachineNetwork } from "../inspect/network";
import type { NetworkObjects, Pod, Service } from "../inspect/objects";
import type { MachineRules } from "../inspect/rules";
import type { Evidence } from "./owner";
import type { RouteAnswer, RouteQuery } from "./routes";
import type { Crossings } from "./trace";
import type { Endpoint } from "./types";

/** One machine as it was while the probe went through. */
export interface Machine {
    /** Name of the node, or `here`. */
    readonly name: string;
    /** Its address between nodes. */
    readonly address: string;
    readonly network: MachineNetwork;
    readonly rules: MachineRules;
    readonly evidence: Evidence;
    /** What it did with the probe's packets, in order; undefined where it could not be watched. */
    readonly crossings: Crossings | undefined;
    /** Asks its kernel for a route. */
    readonly routes: (query: RouteQuery) => Promise<RouteAnswer>;
    /** A command of its own as a person types it. */
    readonly command: (commandLine: string) => string;
}

/** All that is known of the cluster while a path is found. */
export interface World {
    readonly objects: NetworkObjects;
    readonly nodes: readonly StackNode[];
    /** `kubenet`, `flannel`, `kube-router`, `bridge` */
    readonly podNetwork: string;
    readonly machines: readonly Machine[];
    /** The bridge of a local lab on this host; undefined where the machines aren't on one. */
    readonly hostBridge?: string;
    /** `scripts/lab kubectl … WORDS` as a person types it. */
    readonly kubectl: (words: string) => string;
}

/** The pod with an address, where it is one of its own; of several with the same address the one on `node`. */
export function podAt({ objects }: World, address: string, node?: string): Pod | undefined {
    const all = objects.pods.filter(
        ({ spec, status }) => status.podIP === address && spec.hostNetwork !== true && status.phase === "Running",
    );
    return all.find(({ spec }) => spec.nodeName === node) ?? all[0];
}

export function serviceAt({ objects }: World, address: string): Service | undefined {
    return objects.services.find(
        ({ spec }) => spec.clusterIP === address || spec.externalIPs?.includes(address) === true,
    );
}

/** The service that has a port of every node for itself. */
export function serviceOfNodePort({ objects, nodes }: World, { address, port }: Endpoint): Service | undefined {
    return nodes.some((node) => node.address === address)
        ? objects.services.find(({ spec }) => spec.ports?.some(({ nodePort }) => nodePort === port) === true)
        : undefined;
}

export function machineNamed({ machines }: World, name: string | undefined): Machine | undefined {
    return machines.find((machine) => machine.name === name);
}

/** The machine that has an address on an interface of its own. */
export function machineAt({ machines }: World, address: string): Machine | undefined {
    return machines.find(
        (machine) =>
            machine.address === address ||
            machine.network.links.some(
                ({ addr_info, ifname }) =>
                    !ifname.startsWith("kube-dummy") &&
                    ifname !== "lo" &&
                    addr_info.some(({ local }) => local === address),
            ),
    );
}

/** The node whose pods have addresses of a range with this address in it. */
export function nodeOfPodAddress(world: World, address: string): StackNode | undefined {
    const pod = podAt(world, address);
    if (pod !== undefined) {
        return world.nodes.find(({ name }) => name === pod.spec.nodeName);
    }
    return world.nodes.find(({ name }) => {
        const range = podCidrOf(world, name);
        return range !== undefined && isIn(range, address);
    });
}

/** The range of a node's pods. */
export function podCidrOf({ objects, nodes }: World, node: string): string | undefined {
    return (
        objects.nodes.find(({ metadata }) => metadata.name === node)?.spec.podCIDR ??
        nodes.find(({ name }) => name === node)?.podCidr
    );
}

export function isIn(range: string, address: string): boolean {
    const [outer, inner] = [parseCidr(range), parseCidr(`${address}/32`)];
    return parseAddress(address) !== undefined && "base" in outer && "base" in inner && contains(outer, inner);
}

/** `pod default/web-1`, `node worker-1`, `service default/web`, or the address alone. */
export function whoIs(world: World, address: string): string {
    const pod = podAt(world, address);
    const service = serviceAt(world, address);
    const node = world.nodes.find((each) => each.address === address);
    if (pod !== undefined) {
        return `pod ${pod.metadata.namespace ?? ""}/${pod.metadata.name}`;
    }
    if (service !== undefined) {
        return `service ${service.metadata.namespace ?? ""}/${service.metadata.name}`;
    }
    return node === undefined ? address : `node ${node.name}`;
}
