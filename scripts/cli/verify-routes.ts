import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";

/** Routing protocol numbers by which the pod networks mark their routes. */
const PROTOCOLS: Readonly<Record<string, string>> = { kubenet: "proto kubenet", "kube-router": "proto 17" };

interface ApiNode {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDR?: string };
}

/**
 * Every node has a route to the pods of every other one, made by the pod network.
 *
 * @returns the routes of the first node.
 * @throws Error that says which node lacks which route.
 */
export async function routesToPods(
    cluster: ClusterAccess,
    nodes: readonly StackNode[],
    podNetwork: string,
): Promise<string> {
    const { items } = JSON.parse(await cluster.kubectl(["get", "nodes", "-o", "json"])) as { items: ApiNode[] };
    const podCidr = (node: StackNode): string => {
        const found = items.find(({ metadata }) => metadata.name === node.name)?.spec.podCIDR;
        if (found === undefined) {
            throw new Error(`${node.name} has no pod CIDR`);
        }
        return found;
    };
    let count = 0;
    for (const node of nodes) {
        const routes = (await cluster.ssh(node, "ip -4 -o route show")).split("\n");
        for (const other of nodes.filter(({ name }) => name !== node.name)) {
            const route = routes.find((line) => line.startsWith(`${podCidr(other)} `));
            const direct = route?.includes(`via ${other.address} `) ?? false;
            const tunnelled = / dev (flannel\.|tun)/.test(route ?? "");
            if (route === undefined || !(direct || tunnelled) || !route.includes(PROTOCOLS[podNetwork] ?? "")) {
                throw new Error(`${node.name} has no route to ${podCidr(other)} of ${other.name}: ${route ?? "none"}`);
            }
            count += 1;
        }
    }
    return `${count} routes`;
}

/** Every kube-router has a BGP session with every other one. @throws Error that shows what one says where it hasn't. */
export async function bgpSessions(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<string> {
    const list = await cluster.kubectl(["-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-router", "-o", "name"]);
    const pods = list.trim().split("\n");
    for (const pod of pods) {
        const neighbours = await cluster.kubectl(["-n", "kube-system", "exec", pod, "--", "gobgp", "neighbor"]);
        const established = neighbours.match(/\bEstabl\b/g)?.length ?? 0;
        if (established !== nodes.length - 1) {
            throw new Error(`${pod} has ${established} of ${nodes.length - 1} sessions: ${neighbours.trim()}`);
        }
    }
    return `${pods.length} of ${nodes.length} nodes with ${nodes.length - 1} sessions each`;
}
