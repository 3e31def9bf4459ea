import type { ClusterSpec, Role } from "../../cluster-spec/types";
import { apiTools } from "../../cluster-spec/api-tools";
import { PORTS } from "../../cluster-spec/ports";

/** A port that a process of the cluster listens on. */
export interface ClusterPort {
    readonly protocol: "tcp" | "udp";
    readonly port: number;
    readonly process: string;
    /** Who connects to it: other nodes, the node's own processes, or the machine that Pulumi runs on too. */
    readonly from: "nodes" | "control planes" | "itself" | "everywhere";
}

/** What a node of a role listens on; https://kubernetes.io/docs/reference/networking/ports-and-protocols/ */
export function portsOf(spec: ClusterSpec, role: Role): ClusterPort[] {
    const tcp = (port: number, process: string, from: ClusterPort["from"]): ClusterPort => ({
        protocol: "tcp",
        port,
        process,
        from,
    });
    return [
        ...(role === "control-plane"
            ? [
                  tcp(spec.api.port, "kube-apiserver", "everywhere"),
                  tcp(PORTS.etcdClient, "etcd", "control planes"),
                  tcp(PORTS.etcdPeer, "etcd", "control planes"),
                  tcp(PORTS.controllerManager, "kube-controller-manager", "itself"),
                  tcp(PORTS.scheduler, "kube-scheduler", "itself"),
              ]
            : []),
        ...(spec.parts.delivery === "relay" && role === "control-plane"
            ? [tcp(PORTS.relay, "kubelab-relay", "nodes")]
            : []),
        ...(apiTools(spec, role).includes("haproxy") ? [tcp(spec.api.port, "haproxy", "itself")] : []),
        tcp(PORTS.kubelet, "kubelet", "nodes"),
        tcp(PORTS.kubeletHealth, "kubelet", "itself"),
        ...(spec.serviceProxy[role] === "kube-proxy"
            ? [tcp(PORTS.kubeProxyMetrics, "kube-proxy", "itself"), tcp(PORTS.kubeProxyHealth, "kube-proxy", "nodes")]
            : []),
        ...networkPorts(spec),
    ];
}

function networkPorts({ network, cniPlugin, overlay }: ClusterSpec): ClusterPort[] {
    if (network !== "cni") {
        return [];
    }
    switch (cniPlugin) {
        case "kube-router":
            return [{ protocol: "tcp", port: 179, process: "kube-router (BGP)", from: "nodes" }];
        case "flannel":
            return overlay === "none"
                ? []
                : [{ protocol: "udp", port: 8472, process: "the kernel (VXLAN)", from: "nodes" }];
    }
}
