import type { Manifest } from "../control-plane/kubectl-step";
import type { ClusterSpec } from "../cluster-spec/types";
import { PORTS } from "../cluster-spec/ports";

const LABELS = { "k8s-app": "kube-dns" };
const NAME = { name: "coredns", namespace: "kube-system" };

/** https://coredns.io/plugins/kubernetes/ and https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export function corefile(clusterDomain: string): string {
    return `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :${PORTS.corednsMetrics}
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
`;
}

/** The cluster's DNS: two replicas on different nodes where there are two, with the rights to read services and nothing else. */
export function corednsManifests(spec: ClusterSpec): Manifest[] {
    return [
        { apiVersion: "v1", kind: "ServiceAccount", metadata: NAME },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: "system:coredns" },
            rules: [
                { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
                { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
            ],
        },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRoleBinding",
            metadata: { name: "system:coredns" },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
            subjects: [{ kind: "ServiceAccount", ...NAME }],
        },
        { apiVersion: "v1", kind: "ConfigMap", metadata: NAME, data: { Corefile: corefile(spec.clusterDomain) } },
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: {
                name: "kube-dns",
                namespace: "kube-system",
                labels: { ...LABELS, "kubernetes.io/name": "CoreDNS" },
            },
            spec: {
                selector: LABELS,
                clusterIP: spec.dnsIp,
                ports: [
                    { name: "dns", port: 53, protocol: "UDP" },
                    { name: "dns-tcp", port: 53, protocol: "TCP" },
                    { name: "metrics", port: PORTS.corednsMetrics, protocol: "TCP" },
                ],
            },
        },
        deployment(spec),
    ];
}

function deployment(spec: ClusterSpec): Manifest {
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { ...NAME, labels: LABELS },
        spec: {
            replicas: spec.nodes.length > 1 ? 2 : 1,
            strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
            selector: { matchLabels: LABELS },
            template: {
                metadata: { labels: LABELS },
                spec: {
                    priorityClassName: "system-cluster-critical",
                    serviceAccountName: "coredns",
                    dnsPolicy: "Default",
                    nodeSelector: { "kubernetes.io/os": "linux" },
                    tolerations: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
                    affinity: {
                        podAntiAffinity: {
                            preferredDuringSchedulingIgnoredDuringExecution: [
                                {
                                    weight: 100,
                                    podAffinityTerm: {
                                        labelSelector: { matchLabels: LABELS },
                                        topologyKey: "kubernetes.io/hostname",
                                    },
                                },
                            ],
                        },
                    },
                    containers: [container(spec.versions.coredns)],
                    volumes: [
                        {
                            name: "config",
                            configMap: { name: "coredns", items: [{ key: "Corefile", path: "Corefile" }] },
                        },
                    ],
                },
            },
        },
    };
}

function container(version: string): object {
    return {
        name: "coredns",
        image: `registry.k8s.io/coredns/coredns:v${version}`,
        imagePullPolicy: "IfNotPresent",
        args: ["-conf", "/etc/coredns/Corefile"],
        resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
        volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
        ports: [
            { name: "dns", containerPort: 53, protocol: "UDP" },
            { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
            { name: "metrics", containerPort: PORTS.corednsMetrics, protocol: "TCP" },
        ],
        livenessProbe: {
            httpGet: { path: "/health", port: PORTS.corednsHealth },
            initialDelaySeconds: 60,
            timeoutSeconds: 5,
            failureThreshold: 5,
        },
        readinessProbe: {
            httpGet: { path: "/ready", port: PORTS.corednsReady },
            periodSeconds: 1,
            failureThreshold: 30,
        },
        securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
            readOnlyRootFilesystem: true,
        },
    };
}
