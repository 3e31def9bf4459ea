/** The stretches of a bring-up, in its order; they overlap, since everything that can start at once does. */
export const PHASES = [
    "keys and certificates",
    "parts in the cache",
    "machines answer",
    "parts on the machines",
    "etcd",
    "API server",
    "controller manager, scheduler",
    "pod network",
    "containerd, kubelet, kube-proxy",
    "nodes Ready",
    "add-ons",
] as const;
export type Phase = (typeof PHASES)[number];

/** By the innermost component that a resource is in. */
const BY_COMPONENT: Readonly<Record<string, Phase>> = {
    "kubelab:machines:LocalMachine": "machines answer",
    "kubelab:machines:AwsMachine": "machines answer",
    "kubelab:machines:ExistingHost": "machines answer",
    "kubelab:control-plane:Etcd": "etcd",
    "kubelab:control-plane:ApiServer": "API server",
    "kubelab:control-plane:ControllerManager": "controller manager, scheduler",
    "kubelab:control-plane:Scheduler": "controller manager, scheduler",
    "kubelab:node-certificates:NodeApprover": "controller manager, scheduler",
    "kubelab:network:Bridge": "pod network",
    "kubelab:network:Kubenet": "pod network",
    "kubelab:network:DaemonSetNetwork": "pod network",
    "kubelab:node:Containerd": "containerd, kubelet, kube-proxy",
    "kubelab:control-plane:MovingAddress": "API server",
    "kubelab:node:ApiLoadBalancer": "containerd, kubelet, kube-proxy",
    "kubelab:node:Kubelet": "containerd, kubelet, kube-proxy",
    "kubelab:node:KubeProxy": "containerd, kubelet, kube-proxy",
};

/** By the end of the name, for what a cluster, a control plane or a node has itself. */
const BY_NAME: readonly (readonly [RegExp, Phase])[] = [
    [/-(control-plane|control-plane-tools|node|relay)-parts$|-relay$/, "parts on the machines"],
    [/-parts(-sources)?$/, "parts in the cache"],
    [/-keys$/, "keys and certificates"],
    [/-(network|ssh-identity|ready)$/, "machines answer"],
    [/-super-admin$/, "API server"],
    [/-(node|drain)$/, "nodes Ready"],
    [/-(coredns|role-bindings|service-account|etcd-backup)$/, "add-ons"],
];

/** The phase that a resource of a cluster belongs to; undefined for a component, and for what belongs to none. */
export function phaseOf(urn: string): Phase | undefined {
    const { types, name } = readUrn(urn);
    const type = types.at(-1) ?? "";
    if (/^(tls|random):/.test(type)) {
        return "keys and certificates";
    }
    if (type.startsWith("aws:")) {
        return "machines answer";
    }
    if (!type.startsWith("command:")) {
        return undefined;
    }
    return BY_COMPONENT[types.at(-2) ?? ""] ?? BY_NAME.find(([end]) => end.test(name))?.[1];
}

/**
 * The node that a resource is of; undefined for what the whole cluster has.
 *
 * @param cluster name of its component.
 * @param nodes names of the cluster's nodes.
 */
export function nodeOf(urn: string, cluster: string, nodes: readonly string[]): string | undefined {
    const { name } = readUrn(urn);
    const candidates = nodes.filter((node) => `${name}-`.startsWith(`${cluster}-${node}-`));
    return candidates.sort((a, b) => b.length - a.length)[0];
}

/** `urn:pulumi:<stack>::<project>::<types>::<name>`; a name may have colons in it. */
function readUrn(urn: string): { readonly types: readonly string[]; readonly name: string } {
    const [, , types = "", ...name] = urn.split("::");
    return { types: types.split("$"), name: name.join("::") };
}
