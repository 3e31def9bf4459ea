import type { Component } from "../component";
import type { ClusterSpec, Role } from "../cluster-spec/types";
import { Bridge } from "./bridge";
import { DaemonSetNetwork } from "./daemon-set-network";
import { flannel } from "./flannel";
import { Kubenet } from "./kubenet";
import { kubeRouter } from "./kube-router";
import { checkKernel, type CniPlugin } from "./cni-plugin";
import type { PodNetwork, PodNetworkArgs } from "./pod-network";

/** The pod network that the spec names, as far as its steps go. */
export function podNetwork(args: PodNetworkArgs, parent: Component): PodNetwork {
    const { spec } = args;
    switch (spec.network) {
        case "kubenet":
            return new Kubenet(args, parent);
        case "cni":
            if (!spec.steps.includes("network")) {
                return new Bridge(args, parent);
            }
            return new DaemonSetNetwork(cniPlugin(spec), args, parent);
        case "bridge":
            return new Bridge(args, parent);
    }
}

/** Statements for a node's first step: they refuse a kernel that lacks what the pod network needs, before anything is changed. */
export function kernelChecks(spec: ClusterSpec, role: Role): string[] {
    return spec.network === "cni" ? checkKernel(cniPlugin(spec), role) : [];
}

function cniPlugin(spec: ClusterSpec): CniPlugin {
    switch (spec.cniPlugin) {
        case "flannel":
            return flannel(spec);
        case "kube-router":
            return kubeRouter(spec);
    }
}
