import { isDeepStrictEqual } from "node:util";
import type { Manifest } from "../control-plane/kubectl-step";
import type { ClusterSpec, Role } from "../cluster-spec/types";

/** A pod network's own program: a pod on every node. */
export interface NetworkDaemon {
    /** Of the DaemonSet, its service account and role. */
    readonly name: string;
    readonly image: string;
    readonly command?: readonly string[];
    /** On the nodes of a role. Where the roles differ, each has a DaemonSet of its own. */
    readonly args: (role: Role) => readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    /** What it may do in the API, and no more. */
    readonly rules: readonly PolicyRule[];
    readonly securityContext: object;
    readonly requests: { readonly cpu: string; readonly memory: string };
    /** What it may grow to. */
    readonly memoryLimit: string;
    /** TCP port on the node's loopback address, and the paths that say whether it lives and works. */
    readonly health: { readonly port: number; readonly live: string; readonly ready: string };
    /** Directories and files of the node by where they are in the container too. */
    readonly hostPaths: readonly HostPath[];
    /** Files of a ConfigMap by name, and the directory where the container has them. */
    readonly configuration?: { readonly directory: string; readonly files: Readonly<Record<string, string>> };
}

export interface PolicyRule {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
}

export interface HostPath {
    /** Of the volume. */
    readonly name: string;
    readonly path: string;
    readonly type: "Directory" | "FileOrCreate";
    readonly readOnly?: boolean;
}

const NAMESPACE = "kube-system";

/** Everything that a pod network's program is in the API, in the order in which it must come to be. */
export function networkManifests(spec: ClusterSpec, daemon: NetworkDaemon): Manifest[] {
    const { name, rules, configuration } = daemon;
    const metadata = { name, namespace: NAMESPACE, labels: { "k8s-app": name } };
    return [
        // Before the DaemonSet: its controller would wait longer and longer between tries to make pods without it.
        { apiVersion: "v1", kind: "ServiceAccount", metadata },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRole",
            metadata: { name: `kubelab:${name}` },
            rules,
        },
        {
            apiVersion: "rbac.authorization.k8s.io/v1",
            kind: "ClusterRoleBinding",
            metadata: { name: `kubelab:${name}` },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `kubelab:${name}` },
            subjects: [{ kind: "ServiceAccount", name, namespace: NAMESPACE }],
        },
        ...(configuration === undefined
            ? []
            : [{ apiVersion: "v1", kind: "ConfigMap", metadata, data: configuration.files }]),
        ...daemonSets(daemon).map((set) => ({
            apiVersion: "apps/v1",
            kind: "DaemonSet",
            metadata: { ...metadata, name: set.name },
            spec: daemonSet(spec, daemon, set),
        })),
    ];
}

/** The pods of a daemon that have the same arguments. */
export interface DaemonSet {
    readonly name: string;
    /** Of the nodes that they are on; missing where they are on all nodes. */
    readonly role?: Role;
    readonly args: readonly string[];
}

/** One for all nodes, or one per role. */
export function daemonSets({ name, args }: NetworkDaemon): DaemonSet[] {
    const [controlPlanes, workers] = [args("control-plane"), args("worker")];
    return isDeepStrictEqual(controlPlanes, workers)
        ? [{ name, args: workers }]
        : [
              { name: `${name}-control-planes`, role: "control-plane", args: controlPlanes },
              { name: `${name}-workers`, role: "worker", args: workers },
          ];
}

/** By the names of the control planes, which stay the same for life: labels come to a node later than its first pods. */
function nodesOfRole({ controlPlanes }: ClusterSpec, role: Role): object {
    const named = (operator: string) =>
        controlPlanes.map(({ name }) => ({ key: "metadata.name", operator, values: [name] }));
    const nodeSelectorTerms =
        role === "worker" ? [{ matchFields: named("NotIn") }] : named("In").map((field) => ({ matchFields: [field] }));
    return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

function daemonSet(spec: ClusterSpec, daemon: NetworkDaemon, { role, args }: DaemonSet): object {
    const { name, configuration, hostPaths } = daemon;
    const labels = { "k8s-app": name, ...(role === undefined ? {} : { "kubelab/nodes": role }) };
    // A change of the files is a change of the pods, which would else keep what they have read.
    const annotations = configuration === undefined ? {} : { "kubelab/configuration": JSON.stringify(configuration) };
    return {
        selector: { matchLabels: labels },
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
        template: {
            metadata: { labels, annotations },
            spec: {
                priorityClassName: "system-node-critical",
                serviceAccountName: name,
                hostNetwork: true,
                enableServiceLinks: false,
                nodeSelector: { "kubernetes.io/os": "linux" },
                ...(role === undefined ? {} : { affinity: nodesOfRole(spec, role) }),
                // No node is without it: not one that isn't Ready yet, which it never would be.
                tolerations: [{ operator: "Exists" }],
                terminationGracePeriodSeconds: 10,
                containers: [container(spec, daemon, args)],
                volumes: [
                    ...hostPaths.map(({ name: volume, path, type }) => ({ name: volume, hostPath: { path, type } })),
                    ...(configuration === undefined ? [] : [{ name: "configuration", configMap: { name } }]),
                ],
            },
        },
    };
}

function container(spec: ClusterSpec, daemon: NetworkDaemon, args: readonly string[]): object {
    const { name, image, command, securityContext, requests, hostPaths, configuration } = daemon;
    const field = (variable: string, fieldPath: string): object => ({
        name: variable,
        valueFrom: { fieldRef: { fieldPath } },
    });
    return {
        name,
        image,
        imagePullPolicy: "IfNotPresent",
        ...(command === undefined ? {} : { command }),
        args,
        env: [
            // The API by its own address: services do not work before this pod does.
            { name: "KUBERNETES_SERVICE_HOST", value: spec.api.name },
            { name: "KUBERNETES_SERVICE_PORT", value: String(spec.api.port) },
            field("NODE_NAME", "spec.nodeName"),
            field("HOST_IP", "status.hostIP"),
            ...Object.entries(daemon.environment ?? {}).map(([variable, value]) => ({ name: variable, value })),
        ],
        resources: { requests, limits: { memory: daemon.memoryLimit } },
        securityContext,
        ...probes(daemon.health),
        volumeMounts: [
            ...hostPaths.map(({ name: volume, path, readOnly }) => ({
                name: volume,
                mountPath: path,
                ...(readOnly ? { readOnly } : {}),
            })),
            ...(configuration === undefined
                ? []
                : [{ name: "configuration", mountPath: configuration.directory, readOnly: true }]),
        ],
    };
}

function probes({ port, live, ready }: NetworkDaemon["health"]): object {
    const at = (path: string): object => ({ httpGet: { host: "127.0.0.1", port, path } });
    return {
        startupProbe: { ...at(live), periodSeconds: 1, failureThreshold: 120 },
        livenessProbe: { ...at(live), periodSeconds: 10, timeoutSeconds: 5 },
        readinessProbe: { ...at(ready), periodSeconds: 2, timeoutSeconds: 5 },
    };
}
