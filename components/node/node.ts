import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import type { PartsDelivery } from "../steps/parts";
import type { Turn } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";
import type { Pki } from "../pki/pki";
import { hasKubeProxy } from "../cluster-spec/bring-up";
import type { ClusterSpec } from "../cluster-spec/types";
import { ApiLoadBalancer } from "./api-load-balancer";
import { Containerd } from "./containerd";
import { KubeProxy } from "./kube-proxy";
import { Kubelet } from "./kubelet";
import type { NodeServiceArgs } from "./service-args";

export interface NodeArgs {
    readonly spec: ClusterSpec;
    readonly machine: ReadyMachine;
    readonly delivery: PartsDelivery;
    readonly pki: Pki;
    /** What must be there before the kubelet starts: the pod network's CNI configuration. Missing while there is none. */
    readonly network?: pulumi.Resource | undefined;
    /** The first control plane's machine. */
    readonly controlPlane: ReadyMachine;
    /** The machines of all of them. */
    readonly controlPlanes: readonly ReadyMachine[];
    /** What its programs wait for before they change. */
    readonly turn: Turn;
    /** What its kubelet waits for before it asks for its certificates again. */
    readonly signers: Turn;
}

/** What runs on every machine that runs pods: container runtime, kubelet, service proxy. */
export class Node extends Component {
    /** After this the kubelet is healthy; missing where the bring-up ends before. */
    readonly kubelet?: pulumi.Resource;
    /** After this the control plane has a token for the kubelet to join with; missing where it joins with none. */
    readonly minted?: pulumi.Resource;
    /** After these all of them run. */
    readonly services: pulumi.Resource[] = [];
    private readonly process: NodeServiceArgs;

    constructor(args: NodeArgs, parent: Component) {
        super("kubelab:node:Node", parent.nameOf(args.machine.name), { parent });
        const { steps } = args.spec;

        const parts = args.delivery(args.machine, "node", this, args.turn);
        this.process = { ...args, parts };
        const containerd = new Containerd(this.process, this);
        this.services.push(containerd.ready);
        if (steps.includes("kubelet")) {
            const dependsOn = [containerd.ready, ...(args.network === undefined ? [] : [args.network])];
            const { ready, minted } = new Kubelet({ ...this.process, dependsOn }, this);
            this.kubelet = ready;
            this.services.push(ready);
            if (minted !== undefined) {
                this.minted = minted;
            }
        }
        if (args.spec.highlyAvailable && args.machine.role === "worker") {
            new ApiLoadBalancer(this.process, this);
        }
        this.registerOutputs(this.kubelet === undefined ? {} : { kubelet: this.kubelet });
    }

    /**
     * The service proxy, where the bring-up goes so far and the node has one. Its unit would wait for an API server that a run which ends
     * early never starts.
     *
     * @param dependsOn after these the API server answers, and kube-proxy has its rights.
     */
    proxyServices(dependsOn: readonly pulumi.Resource[]): void {
        const { spec, machine } = this.process;
        if (hasKubeProxy(spec, machine.role)) {
            this.services.push(new KubeProxy({ ...this.process, dependsOn }, this).ready);
        }
    }
}
