import type { ClusterSpec } from "../cluster-spec/types";
import { bridgeConfiguration } from "./cni-configuration";
import type { NetworkDaemon } from "./daemon-set";
import { type CniPlugin, tunnel } from "./cni-plugin";

/** Where flannel writes what it has found out about its node. */
const SUBNET_FILE = "/run/flannel/subnet.env";
const HEALTH_PORT = 8081;
const VXLAN = tunnel("vxlan", "id 4095 dstport 4789");

/**
 * flannel's network configuration: `host-gw` routes packets as they are to the other node; `vxlan` puts them in UDP packets.
 * https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md
 */
export function flannelNetwork(spec: Pick<ClusterSpec, "podCidr" | "overlay">): object {
    const backend = {
        none: { Type: "host-gw" },
        subnet: { Type: "vxlan", DirectRouting: true },
        full: { Type: "vxlan" },
    } as const;
    return { Network: spec.podCidr, EnableNFTables: false, Backend: backend[spec.overlay] };
}

/** https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md */
export function flannelDaemon(spec: ClusterSpec): NetworkDaemon {
    return {
        name: "flannel",
        image: `ghcr.io/flannel-io/flannel:v${spec.versions.flannel}`,
        command: ["/opt/bin/flanneld"],
        args: () => [
            "--kube-subnet-mgr",
            "--ip-masq",
            "--iface=$(HOST_IP)",
            "--healthz-ip=127.0.0.1",
            `--healthz-port=${HEALTH_PORT}`,
        ],
        rules: [
            { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
            // Its annotations on its own node; RBAC can't say "its own".
            { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
        ],
        securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ["ALL"], add: ["NET_ADMIN", "NET_RAW"] },
            readOnlyRootFilesystem: true,
        },
        requests: { cpu: "100m", memory: "50Mi" },
        memoryLimit: "256Mi",
        health: { port: HEALTH_PORT, live: "/healthz", ready: "/readyz" },
        hostPaths: [
            { name: "run", path: "/run/flannel", type: "Directory" },
            { name: "xtables-lock", path: "/run/xtables.lock", type: "FileOrCreate" },
        ],
        configuration: {
            directory: "/etc/kube-flannel",
            files: { "net-conf.json": `${JSON.stringify(flannelNetwork(spec), undefined, 2)}\n` },
        },
    };
}

/** Statements that write the CNI configuration to `$1` out of flannel's subnet file. */
const CONFIGURATION = [
    "# shellcheck source=/dev/null",
    `. ${SUBNET_FILE}`,
    '[[ $FLANNEL_SUBNET == *.1/24 ]] || { echo "not a /24: $FLANNEL_SUBNET" >&2; exit 1; }',
    'cat >"$1" <<CNI',
    bridgeConfiguration({
        name: "flannel",
        bridge: "cni0",
        mtu: "$FLANNEL_MTU",
        ranges: [[{ subnet: "${FLANNEL_SUBNET%.1/24}.0/24", gateway: "${FLANNEL_SUBNET%/24}" }]],
    }).trimEnd(),
    "CNI",
];

/** flannel: a subnet per node out of the Node objects, routes or VXLAN between them. No network policies. */
export function flannel(spec: ClusterSpec): CniPlugin {
    return {
        daemon: flannelDaemon(spec),
        node: {
            directory: "/run/flannel",
            source: SUBNET_FILE,
            configuration: CONFIGURATION,
            kernel: () => (spec.overlay === "none" ? [] : [VXLAN]),
            undo: ["ip link del flannel.1 2>/dev/null || true", "ip link del cni0 2>/dev/null || true"],
        },
    };
}
