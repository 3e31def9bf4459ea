import * as pulumi from "@pulumi/pulumi";
import type { PartsDelivery } from "../host/parts";
import type { ReadyMachine } from "../machines/machine";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../spec/types";
import { Containerd } from "./containerd";
import { KubeProxy } from "./kube-proxy";
import { Kubelet } from "./kubelet";

export interface NodeArgs {
    readonly spec: ClusterSpec;
    readonly machine: ReadyMachine;
    readonly delivery: PartsDelivery;
    readonly pki: Pki;
    /** What must be there before the kubelet starts: the pod network's CNI configuration. */
    readonly network: pulumi.Resource;
}

/** What runs on every machine that runs pods: container runtime, kubelet, service proxy. */
export class Node extends pulumi.ComponentResource {
    constructor(args: NodeArgs, options: pulumi.ComponentResourceOptions) {
        super("kubelab:node:Node", args.machine.name, {}, options);
        const own = { parent: this };
        const certificates = args.pki.node(args.machine);

        const parts = args.delivery(args.machine, "node", this);
        const process = { ...args, parts };
        const containerd = new Containerd(process, own);
        new Kubelet({ ...process, certificates, dependsOn: [containerd.ready, args.network] }, own);
        if (args.spec.serviceProxy === "kube-proxy") {
            new KubeProxy({ ...process, certificates }, own);
        }
        this.registerOutputs();
    }
}
