import type { ClusterAccess } from "../cli/cluster-access";
import { readNetworkObjects } from "../inspect/objects";
import { resolve } from "./resolve";
import { Search } from "./search";
import { parseDestination, parseOrigin } from "./target";
import type { Path } from "./types";

export interface PathRequest {
    readonly from: string;
    readonly to: string;
    /** Namespace of names without one. */
    readonly namespace: string;
    /** Of ports that no object says it of. */
    readonly protocol: "TCP" | "UDP";
}

/**
 * Makes a real connection, and finds out its way and that of the answer from what the kernels of the machines on it did.
 *
 * @param progress gets what is under way.
 * @throws UserError for a FROM or TO that isn't there or can't be probed, before anything is sent.
 */
export async function findPath(
    cluster: ClusterAccess,
    { from, to, namespace, protocol: preferred }: PathRequest,
    progress: (text: string) => void = () => undefined,
): Promise<Path> {
    progress("objects of the cluster");
    const objects = await readNetworkObjects(cluster);
    const { nodes } = cluster.stack.outputs();
    const known = { objects, nodes, namespace, protocol: preferred };
    const origin = parseOrigin(from, known);
    // A pod's short names are of its own namespace.
    const own = origin.kind === "pod" ? (origin.pod.metadata.namespace ?? namespace) : namespace;
    const destination = parseDestination(to, { ...known, namespace: own });
    const { port } = destination;
    const protocol = destination.protocol === "UDP" ? "UDP" : "TCP";
    const search = new Search(cluster, objects, origin, progress);
    if (destination.kind !== "name") {
        const found = await search.connect({ address: destination.address, port }, protocol);
        return { from, to, protocol, ...found };
    }
    const named = await resolve(search, destination.name);
    if (named.address === undefined) {
        const { hops, notes, probe } = named;
        return { from, to, protocol, probe: { ...probe, outcome: "unresolved" }, whole: false, hops, notes };
    }
    const found = await search.connect({ address: named.address, port }, protocol);
    return {
        ...{ from, to, protocol, probe: found.probe, whole: found.whole },
        hops: [...named.hops, ...found.hops],
        notes: [...new Set([...named.notes, ...found.notes])],
    };
}
