import * as pulumi from "@pulumi/pulumi";
import type { PartsDelivery } from "../steps/parts";
import type { ReadyMachine } from "../machines/machine";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";
import { Containerd } from "./containerd";
import { KubeProxy } from "./kube-proxy";
import { Kubelet } from "./kubelet";

export interface NodeArgs {
    readonly spec: ClusterSpec;
    readonly machine: ReadyMachine;
    readonly delivery: PartsDelivery;
    readonly pki: Pki;
    /** What must be there before the kubelet starts: the pod network's CNI configuration. Missing while there is none. */
    readonly network?: pulumi.Resource | undefined;
    /** The first control plane's machine. */
    readonly controlPlane: ReadyMachine;
}

/** What runs on every machine that runs pods: container runtime, kubelet, service proxy. */
export class Node extends pulumi.ComponentResource {
    /** After this the kubelet is healthy; missing where the bring-up ends before. */
    readonly kubelet?: pulumi.Resource;

    constructor(args: NodeArgs, options: pulumi.ComponentResourceOptions) {
        super("kubelab:node:Node", args.machine.name, {}, options);
        const own = { parent: this };
        const { steps } = args.spec;
        const certificates = args.pki.node(args.machine);

        const parts = args.delivery(args.machine, "node", this);
        const process = { ...args, parts };
        const containerd = new Containerd(process, own);
        if (steps.includes("kubelet")) {
            const dependsOn = [containerd.ready, ...(args.network === undefined ? [] : [args.network])];
            this.kubelet = new Kubelet({ ...process, certificates, dependsOn }, own).ready;
        }
        if (steps.includes("kube-proxy")) {
            new KubeProxy({ ...process, certificates }, own);
        }
        this.registerOutputs();
    }
}
