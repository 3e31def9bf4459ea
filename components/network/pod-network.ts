import type * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../machines/machine";
import type { ClusterSpec, NodeSpec } from "../cluster-spec/types";

export interface PodNetworkArgs {
    readonly spec: ClusterSpec;
    readonly nodes: readonly { readonly node: NodeSpec; readonly machine: ReadyMachine }[];
}

/** The cluster that a network's own objects go to. */
export interface RegisteredNodes {
    /** The machine that manifests are applied from. */
    readonly controlPlane: ReadyMachine;
    /** The steps after which the API server answers there. */
    readonly api: readonly pulumi.Resource[];
    /** The steps after which all nodes are Ready. */
    readonly memberships: readonly pulumi.Resource[];
}

/** How pods get addresses and reach each other; one implementation per kind of network. */
export interface PodNetwork {
    /** Per node name: what must be there before the node's kubelet can become Ready. */
    readonly ready: Readonly<Record<string, pulumi.Resource>>;
    /**
     * Makes what the network has in the API. A bring-up that ends before there is an API doesn't get here.
     *
     * @returns the steps after which pods reach pods on every node.
     */
    connected(cluster: RegisteredNodes): readonly pulumi.Resource[];
}
