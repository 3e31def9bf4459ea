import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";

/** Routing protocol numbers by which the pod networks mark their routes. */
const PROTOCOLS: Readonly<Record<string, string>> = { kubenet: "proto kubenet", "kube-router": "proto 17" };

interface ApiNode {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
    readonly spec: { readonly podCIDR?: string };
    readonly status: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

/** What the API says of a node that routes are about. */
interface RoutedNode {
    readonly name: string;
    readonly podCidr: string;
    /** By which other nodes reach it. */
    readonly address: string;
    /** https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone; none where there are no zones. */
    readonly zone: string | undefined;
}

function routedNode({ metadata: { name, labels }, spec, status }: ApiNode): RoutedNode {
    const internal = status.addresses?.find(({ type }) => type === "InternalIP");
    if (spec.podCIDR === undefined || internal === undefined) {
        throw new Error(`${name} has no ${internal === undefined ? "address" : "pod CIDR"}`);
    }
    const zone = labels?.["topology.kubernetes.io/zone"];
    return { name, podCidr: spec.podCIDR, address: internal.address, zone };
}

/**
 * Every node has a route to the pods of every other one, made by the pod network. kubenet's end at the edge of a subnet: to pods of another
 * zone there is none, since the router between the subnets has it.
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
    const routed = items.map(routedNode);
    let count = 0;
    let byRouter = 0;
    for (const node of nodes) {
        const zone = routed.find(({ name }) => name === node.name)?.zone;
        const routes = (await cluster.ssh(node, "ip -4 -o route show")).split("\n");
        for (const other of routed.filter(({ name }) => name !== node.name)) {
            const route = routes.find((line) => line.startsWith(`${other.podCidr} `));
            if (podNetwork === "kubenet" && other.zone !== zone) {
                if (route !== undefined) {
                    throw new Error(`${node.name} has a route to ${other.name}, which is in another zone: ${route}`);
                }
                byRouter += 1;
                continue;
            }
            const direct = route?.includes(`via ${other.address} `) ?? false;
            const tunnelled = / dev (flannel\.|tun)/.test(route ?? "");
            if (route === undefined || !(direct || tunnelled) || !route.includes(PROTOCOLS[podNetwork] ?? "")) {
                throw new Error(`${node.name} has no route to ${other.podCidr} of ${other.name}: ${route ?? "none"}`);
            }
            count += 1;
        }
    }
    return `${count} routes${byRouter === 0 ? "" : `, ${byRouter} left to the router between the zones`}`;
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
