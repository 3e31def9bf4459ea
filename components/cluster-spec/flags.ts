import type { FlaggedComponent } from "./types";

/** The remedy for a flag that the user must not set. */
const OWNERS = {
    podCidr: "change kubelab:podCidr instead, so that routes, nodes and flags agree",
    serviceCidr: "change kubelab:serviceCidr instead, so that the certificate and every component agree",
    clusterDomain: "change kubelab:clusterDomain instead, so that DNS, kubelets and certificates agree",
    proxyMode: "change kubelab:proxyMode instead",
    identity: "remove it: the keys and certificates that it names are made and renewed by kubelab",
    address: "remove it: certificates, kubeconfigs and health checks name the address and port",
    node: "remove it: the certificate names the node, and the API server admits it by that name",
    runtime: "remove it: containerd and the kubelet must agree on it",
    members: "remove it: members find each other by it",
    data: "remove it: the data directory and its owner are made before the process starts",
    file: "remove it: it names a file that kubelab writes",
    anonymous: "remove it: anonymous requests are limited to the health paths by a file that excludes this flag",
} as const;

type Owner = keyof typeof OWNERS;

const KUBECONFIGS = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
const SERVING = ["client-ca-file", "tls-cert-file", "tls-private-key-file"];
const REQUEST_HEADER = [
    "requestheader-client-ca-file",
    "requestheader-allowed-names",
    "requestheader-username-headers",
    "requestheader-group-headers",
    "requestheader-extra-headers-prefix",
];

/** The flags that are set from the spec, the machines or the certificates and must not disagree with them. */
const OWNED: Readonly<Record<FlaggedComponent, Partial<Record<Owner, readonly string[]>>>> = {
    etcd: {
        data: ["data-dir"],
        file: ["config-file"],
        address: [
            "listen-client-urls",
            "advertise-client-urls",
            "listen-peer-urls",
            "initial-advertise-peer-urls",
            "listen-metrics-urls",
        ],
        members: ["name", "initial-cluster", "initial-cluster-token", "initial-cluster-state"],
        identity: [
            ...["trusted-ca-file", "cert-file", "key-file", "client-cert-auth", "auto-tls"],
            ...["peer-trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-client-cert-auth", "peer-auto-tls"],
        ],
    },
    "kube-apiserver": {
        serviceCidr: ["service-cluster-ip-range"],
        clusterDomain: ["service-account-issuer"],
        address: ["etcd-servers", "secure-port", "advertise-address", "bind-address"],
        anonymous: ["anonymous-auth"],
        file: ["authentication-config", "encryption-provider-config"],
        identity: [
            ...SERVING,
            ...REQUEST_HEADER,
            ...["etcd-cafile", "etcd-certfile", "etcd-keyfile"],
            ...["kubelet-certificate-authority", "kubelet-client-certificate", "kubelet-client-key"],
            ...["service-account-key-file", "service-account-signing-key-file"],
            ...["proxy-client-cert-file", "proxy-client-key-file"],
        ],
    },
    "kube-controller-manager": {
        podCidr: ["cluster-cidr", "allocate-node-cidrs", "node-cidr-mask-size", "node-cidr-mask-size-ipv4"],
        serviceCidr: ["service-cluster-ip-range"],
        address: ["bind-address", "secure-port", "master"],
        identity: [
            ...KUBECONFIGS,
            ...SERVING,
            ...REQUEST_HEADER,
            ...["cluster-signing-cert-file", "cluster-signing-key-file"],
            ...["service-account-private-key-file", "root-ca-file"],
        ],
    },
    "kube-scheduler": {
        file: ["config"],
        address: ["bind-address", "secure-port", "master"],
        identity: [...KUBECONFIGS, ...SERVING, ...REQUEST_HEADER],
    },
    kubelet: {
        podCidr: ["pod-cidr"],
        serviceCidr: ["cluster-dns"],
        clusterDomain: ["cluster-domain"],
        file: ["config"],
        node: ["hostname-override", "node-ip"],
        runtime: ["container-runtime-endpoint", "image-service-endpoint", "cgroup-driver"],
        address: ["port", "healthz-port", "healthz-bind-address"],
        identity: ["kubeconfig", "bootstrap-kubeconfig", ...SERVING],
    },
    "kube-proxy": {
        podCidr: ["cluster-cidr"],
        proxyMode: ["proxy-mode"],
        file: ["config"],
        node: ["hostname-override"],
        address: ["master", "healthz-bind-address", "healthz-port"],
        identity: ["kubeconfig"],
    },
};

/** The remedy for setting the flag, or undefined where the user may set it. */
export function refuseOwnedFlag(component: FlaggedComponent, flag: string): string | undefined {
    const owners = Object.keys(OWNED[component]) as Owner[];
    const owner = owners.find((name) => OWNED[component][name]?.includes(flag));
    return owner && OWNERS[owner];
}
