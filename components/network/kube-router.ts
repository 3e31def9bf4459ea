import type { ClusterSpec, Role } from "../cluster-spec/types";
import { bridgeConfiguration } from "./cni-configuration";
import type { NetworkDaemon, PolicyRule } from "./daemon-set";
import { type CniPlugin, type KernelNeed, tunnel } from "./cni-plugin";

/** kube-router puts the node's subnet into this file, which isn't where containerd looks: an unfinished one must not count. */
const DIRECTORY = "/run/kube-router";
const DRAFT = `${DIRECTORY}/cni.conflist`;
const HEALTH_PORT = 20244;
const IPIP = tunnel("ipip", "local 127.0.0.1 remote 127.0.0.2");
const IPVS: KernelNeed = {
    module: "ip_vs",
    check: "[ -e /proc/net/ip_vs ]",
    remedy: "kubelab:serviceProxy 'ipvs' needs it: use 'kube-proxy'",
};

/** https://www.kube-router.io/docs/user-guide/#command-line-options */
export function kubeRouterDaemon(spec: ClusterSpec): NetworkDaemon {
    const ipvs = (role: Role): boolean => spec.serviceProxy[role] === "ipvs";
    return {
        name: "kube-router",
        image: `docker.io/cloudnativelabs/kube-router:v${spec.versions.kubeRouter}`,
        args: (role) => [
            "--run-router=true",
            "--run-firewall=true",
            `--run-service-proxy=${ipvs(role)}`,
            "--nodes-full-mesh=true",
            // Its neighbours keep its routes while it restarts.
            "--bgp-graceful-restart=true",
            // It skips a new node whose object has no address yet, as before its kubelet has registered, until the next round. Its
            // own default is five minutes.
            "--routes-sync-period=15s",
            ...overlayArgs(spec),
            `--service-cluster-ip-range=${spec.serviceCidr}`,
            "--hostname-override=$(NODE_NAME)",
            // That is asked of AWS by whoever makes the machines; a node has no rights there.
            "--disable-source-dest-check=false",
            "--health-addr=127.0.0.1",
            `--health-port=${HEALTH_PORT}`,
        ],
        rules: rules(ipvs("control-plane") || ipvs("worker")),
        // Interfaces, routes, rules, IP sets and settings of the kernel.
        securityContext: { privileged: true },
        requests: { cpu: "100m", memory: "100Mi" },
        // It holds all pods, services and policies of the cluster.
        memoryLimit: "512Mi",
        health: { port: HEALTH_PORT, live: "/healthz", ready: "/healthz" },
        hostPaths: [
            { name: "cni", path: DIRECTORY, type: "Directory" },
            { name: "xtables-lock", path: "/run/xtables.lock", type: "FileOrCreate" },
        ],
        environment: { KUBE_ROUTER_CNI_CONF_FILE: DRAFT },
    };
}

function overlayArgs({ overlay }: ClusterSpec): string[] {
    return overlay === "none" ? ["--enable-overlay=false"] : ["--enable-overlay=true", `--overlay-type=${overlay}`];
}

/** What kube-router watches; IPVS also reads services that ask for direct server return. */
function rules(ipvs: boolean): PolicyRule[] {
    const watch = ["list", "watch"];
    return [
        { apiGroups: [""], resources: ["namespaces", "pods"], verbs: watch },
        { apiGroups: [""], resources: ["services"], verbs: ipvs ? ["get", ...watch] : watch },
        { apiGroups: [""], resources: ["nodes"], verbs: ["get", ...watch] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: watch },
        { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: watch },
    ];
}

/** kube-router: routes by BGP between all nodes, network policies, and services by IPVS where the spec says so. */
export function kubeRouter(spec: ClusterSpec): CniPlugin {
    return {
        daemon: kubeRouterDaemon(spec),
        node: {
            directory: DIRECTORY,
            source: DRAFT,
            draft: bridgeConfiguration({ name: "kube-router", bridge: "kube-bridge", ranges: [] }),
            // Until the subnet is in it, it is what this program has put there.
            configuration: [`grep -q '"subnet"' ${DRAFT} || exit 0`, `cp ${DRAFT} "$1"`],
            kernel: (role) => [
                ...(spec.overlay === "none" ? [] : [IPIP]),
                ...(spec.serviceProxy[role] === "ipvs" ? [IPVS] : []),
            ],
            undo: ["ip route flush proto 17 2>/dev/null || true", "ip link del kube-bridge 2>/dev/null || true"],
        },
    };
}
