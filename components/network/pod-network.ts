import type * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../machines/machine";
import type { ClusterSpec, NodeSpec } from "../spec/types";

export interface PodNetworkArgs {
    readonly spec: ClusterSpec;
    readonly nodes: readonly { readonly node: NodeSpec; readonly machine: ReadyMachine }[];
    /** The machine that manifests are applied from. */
    readonly controlPlane: ReadyMachine;
    /** The steps after which the API server answers there. */
    readonly api: readonly pulumi.Resource[];
}

/** How pods get addresses and reach each other; one implementation per kind of network. */
export interface PodNetwork {
    /** Per node name: what must be there before the node's kubelet can become Ready. */
    readonly ready: Readonly<Record<string, pulumi.Resource>>;
    /**
     * The steps after which pods reach pods on every node.
     *
     * @param memberships the steps after which all nodes are Ready.
     */
    connected(memberships: readonly pulumi.Resource[]): readonly pulumi.Resource[];
}
