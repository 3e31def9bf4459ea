import type * as pulumi from "@pulumi/pulumi";

/** How pods get addresses and reach each other; one implementation per kind of network. */
export interface PodNetwork {
    /** Per node name: what must be there before the node's kubelet can become Ready. */
    readonly ready: Readonly<Record<string, pulumi.Resource>>;
}
