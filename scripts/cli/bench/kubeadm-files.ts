import { stringify } from "yaml";
import type { ClusterSpec, NodeSpec } from "../../../components/cluster-spec/types";
import type { MachineFacts } from "../../machines/contract";

const SOCKET = "unix:///run/containerd/containerd.sock";

export interface KubeadmArgs {
    readonly spec: ClusterSpec;
    readonly facts: MachineFacts;
    /** `abcdef.0123456789abcdef` */
    readonly token: string;
    /** `address:port` of the API server. */
    readonly endpoint: string;
}

/**
 * What `kubeadm init --config` reads: the same ranges, versions and settings of kubelet and kube-proxy as kubelab's cluster.
 * https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
export function initConfiguration(node: NodeSpec, address: string, args: KubeadmArgs): string {
    const { spec, facts, token } = args;
    const init = {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "InitConfiguration",
        bootstrapTokens: [{ token, ttl: "1h0m0s", usages: ["signing", "authentication"] }],
        localAPIEndpoint: { advertiseAddress: address, bindPort: spec.api.port },
        nodeRegistration: registration(node.name, address),
    };
    const cluster = {
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "ClusterConfiguration",
        clusterName: spec.name,
        kubernetesVersion: `v${spec.versions.kubernetes}`,
        networking: { podSubnet: spec.podCidr, serviceSubnet: spec.serviceCidr, dnsDomain: spec.clusterDomain },
        // The pod network's CNI configuration is on the machines beforehand, with the ranges that the routes know.
        controllerManager: { extraArgs: [{ name: "allocate-node-cidrs", value: "false" }] },
        etcd: { local: { imageTag: `${spec.versions.etcd}-0` } },
        dns: { imageTag: `v${spec.versions.coredns}` },
    };
    const kubelet = {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        cgroupDriver: facts.cgroupDriver,
        failCgroupV1: facts.failCgroupV1,
        failSwapOn: facts.failSwapOn,
        serializeImagePulls: false,
    };
    const proxy = {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        mode: spec.proxyMode,
        ...(facts.conntrackMaxPerCore === undefined ? {} : { conntrack: { maxPerCore: facts.conntrackMaxPerCore } }),
    };
    return [init, cluster, kubelet, proxy].map((document) => stringify(document)).join("---\n");
}

/** What `kubeadm join --config` reads. The token alone is trusted: the lab's network has no other users. */
export function joinConfiguration(node: NodeSpec, address: string, args: KubeadmArgs): string {
    return stringify({
        apiVersion: "kubeadm.k8s.io/v1beta4",
        kind: "JoinConfiguration",
        discovery: {
            bootstrapToken: { token: args.token, apiServerEndpoint: args.endpoint, unsafeSkipCAVerification: true },
        },
        nodeRegistration: registration(node.name, address),
    });
}

function registration(name: string, address: string): object {
    return {
        name,
        criSocket: SOCKET,
        imagePullPolicy: "IfNotPresent",
        // Local machines are no machines of their own to it: kernel config, swap, cgroup v1.
        ignorePreflightErrors: ["all"],
        kubeletExtraArgs: [{ name: "node-ip", value: address }],
    };
}

/** The kubelet's unit as kubeadm's packages have it; https://github.com/kubernetes/release/tree/master/cmd/krel/templates */
export const KUBELET_UNIT = `[Unit]
Description=kubelet: The Kubernetes Node Agent
After=network-online.target containerd.service
Wants=network-online.target

[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;
