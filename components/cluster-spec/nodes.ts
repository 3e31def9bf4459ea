import { addressAt, type Cidr, formatCidr, subnetAt, subnetCount } from "./cidr";
import type { NodeSpec, Role, Taint } from "./types";

/** Prefix length of a node's pod CIDR: 254 pods, more than twice what a kubelet takes by default. */
export const NODE_PREFIX = 24;

const ROLE_LABEL = "node-role.kubernetes.io";
const LABELS: Readonly<Record<Role, Readonly<Record<string, string>>>> = {
    // https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-exclude-from-external-load-balancers
    "control-plane": {
        [`${ROLE_LABEL}/control-plane`]: "",
        "node.kubernetes.io/exclude-from-external-load-balancers": "",
    },
    worker: { [`${ROLE_LABEL}/worker`]: "" },
};
const NO_WORKLOADS: Taint = { key: `${ROLE_LABEL}/control-plane`, effect: "NoSchedule" };

/** Whether every node gets a pod CIDR of its own: the first one of the range is nobody's. */
export function podCidrHolds(podCidr: Cidr, nodes: number): boolean {
    return nodes < subnetCount(podCidr, NODE_PREFIX);
}

/** The shortest range, as a prefix length, that holds the pod CIDRs of so many nodes. */
export function podPrefixFor(nodes: number): number {
    return NODE_PREFIX - Math.ceil(Math.log2(nodes + 1));
}

/**
 * Control planes, then workers. Worker n has the nth pod CIDR, control plane n the nth from the end, so that a node that
 * comes or goes never renumbers another.
 *
 * @param options names of nodes, and whether the spec assigns pod CIDRs (default) or the controller manager will.
 * @throws RangeError where the pod CIDR doesn't hold the nodes.
 */
export function planNodes(
    podCidr: Cidr,
    controlPlanes: number,
    workers: number,
    options: { readonly nameOf?: (role: Role, index: number) => string; readonly assigned?: boolean } = {},
): NodeSpec[] {
    const { nameOf = nodeName, assigned = true } = options;
    const last = subnetCount(podCidr, NODE_PREFIX) - 1;
    const taints = workers === 0 ? [] : [NO_WORKLOADS];
    return [
        ...upTo(controlPlanes).map((index) => node("control-plane", index, last - (index - 1), taints)),
        ...upTo(workers).map((index) => node("worker", index, index, [])),
    ];

    function node(role: Role, index: number, position: number, nodeTaints: readonly Taint[]): NodeSpec {
        const range = subnetAt(podCidr, NODE_PREFIX, position);
        return {
            name: nameOf(role, index),
            role,
            index,
            ...(assigned ? { podCidr: formatCidr(range), podGateway: addressAt(range, 1) } : {}),
            labels: { ...LABELS[role] },
            taints: nodeTaints.map((taint) => ({ ...taint })),
        };
    }
}

/** The range that the bridges of all nodes have where no node has its own: the first one of the pod CIDR, which is nobody's. */
export function sharedRange(podCidr: Cidr): Required<Pick<NodeSpec, "podCidr" | "podGateway">> {
    const range = subnetAt(podCidr, NODE_PREFIX, 0);
    return { podCidr: formatCidr(range), podGateway: addressAt(range, 1) };
}

/** `cp-1`, `worker-2` */
export function nodeName(role: Role, index: number): string {
    return role === "control-plane" ? `cp-${index}` : `worker-${index}`;
}

/**
 * A node whose pod CIDR the spec assigns.
 *
 * @throws Error where the network leaves that to the controller manager.
 */
export function withPodCidr(node: NodeSpec): NodeSpec & Required<Pick<NodeSpec, "podCidr" | "podGateway">> {
    const { podCidr, podGateway } = node;
    if (podCidr === undefined || podGateway === undefined) {
        throw new Error(`the spec assigns no pod CIDR to ${node.name}`);
    }
    return { ...node, podCidr, podGateway };
}

function upTo(count: number): number[] {
    return Array.from({ length: count }, (_, position) => position + 1);
}
