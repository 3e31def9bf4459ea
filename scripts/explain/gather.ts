import type { ClusterAccess } from "../cli/cluster-access";
import { type MachineRequest, readMachine } from "../inspect/machine";
import type { Container, Explained, Pod, Snapshot } from "../inspect/snapshot";
import { ownedBy, selects } from "../inspect/snapshot";
import { endpointTargets, podTargets, serviceTargets } from "./targets";
import type { Facts } from "./facts";

/** Parts of every machine, as their units are called. */
export const UNITS = [
    ...["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "node-approver"],
    ...["containerd", "kubelet", "kube-proxy", "kubenet", "cni-config.path"],
] as const;

/** Pods whose logs are read, of those that something has. */
const PODS_READ = 3;
const LINES = 5;

/** Looks at all machines and at the logs of containers that aren't well, at the same time. */
export async function gather(cluster: ClusterAccess, snapshot: Snapshot, resource: Explained): Promise<Facts> {
    const { nodes, podNetwork } = cluster.stack.outputs();
    const pods = podsOf(resource, snapshot);
    const request: MachineRequest = {
        units: UNITS,
        words: wordsOf(resource, pods),
        targets: [...new Set(targetsOf(resource, snapshot, pods))],
    };
    const read = pods
        .filter((pod) => pod.spec.nodeName !== undefined)
        .slice(0, PODS_READ)
        .flatMap((pod) => troubled(pod).map((container) => logOf(cluster, pod, container)));
    const machines = Promise.all(nodes.map((node) => readMachine(cluster, node, request)));
    const logs = Object.fromEntries((await Promise.all(read)).filter(([, lines]) => lines.length > 0));
    return { snapshot, machines: await machines, podNetwork, logs, now: new Date().toISOString() };
}

const NOTHING: Snapshot = {
    ...{ pods: [], nodes: [], services: [], slices: [], workloads: [] },
    ...{ claims: [], storageClasses: [], serviceAccounts: [], events: [] },
};

/** The machines alone, where the API can't be read. */
export async function gatherMachines(cluster: ClusterAccess): Promise<Facts> {
    const { nodes, podNetwork } = cluster.stack.outputs();
    const request: MachineRequest = { units: UNITS, words: [], targets: [] };
    const machines = await Promise.all(nodes.map((node) => readMachine(cluster, node, request)));
    return { snapshot: NOTHING, machines, podNetwork, logs: {}, now: new Date().toISOString() };
}

/** The pods that an explanation of the resource may end at. Those that aren't ready come first. */
export function podsOf(resource: Explained, snapshot: Snapshot): Pod[] {
    const { pods, workloads } = snapshot;
    const isReady = ({ status }: Pod): boolean => status.containerStatuses?.every(({ ready }) => ready) ?? false;
    const first = (list: readonly Pod[]): Pod[] => [...list].sort((a, b) => Number(isReady(a)) - Number(isReady(b)));
    switch (resource.kind) {
        case "Pod":
            return [resource];
        case "Service":
            return first(
                pods.filter(
                    ({ metadata }) =>
                        metadata.namespace === resource.metadata.namespace &&
                        selects(resource.spec.selector, metadata.labels),
                ),
            );
        case "Deployment": {
            const sets = workloads.filter((each) => each.kind === "ReplicaSet" && ownedBy(each, resource));
            return first(pods.filter((pod) => sets.some((set) => ownedBy(pod, set))));
        }
        case "ReplicaSet":
        case "DaemonSet":
        case "StatefulSet":
        case "Job":
            return first(pods.filter((pod) => ownedBy(pod, resource)));
        case "PersistentVolumeClaim":
        case "Node":
            return [];
    }
}

function targetsOf(resource: Explained, snapshot: Snapshot, pods: readonly Pod[]): string[] {
    switch (resource.kind) {
        case "Service":
            return [...serviceTargets(resource), ...endpointTargets(resource, snapshot)];
        case "Pod":
        case "Deployment":
        case "ReplicaSet":
        case "DaemonSet":
        case "StatefulSet":
            return pods.slice(0, PODS_READ).flatMap(podTargets);
        case "Job":
        case "PersistentVolumeClaim":
        case "Node":
            return [];
    }
}

/** What lines of logs are looked for: names are long enough to mean the object. */
function wordsOf(resource: Explained, pods: readonly Pod[]): string[] {
    const { name, namespace } = resource.metadata;
    const own = namespace === undefined ? [`"${name}"`] : [`${namespace}/${name}`];
    const each = pods.slice(0, PODS_READ).flatMap(({ metadata, spec, status }) => [
        metadata.uid,
        `${metadata.namespace}/${metadata.name}`,
        // As containerd quotes it; of a pod that has run, anybody's.
        ...(status.phase === "Pending" ? spec.containers.map(({ image }) => `"${image}\\"`) : []),
    ]);
    return [...new Set([...own, ...each])];
}

/** Containers that have ended, or aren't ready. */
function troubled({ spec, status }: Pod): Container[] {
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const names = all
        .filter(({ ready, state, restartCount }) => !ready && (state?.waiting === undefined || restartCount > 0))
        .map(({ name }) => name);
    return [...(spec.initContainers ?? []), ...spec.containers].filter(({ name }) => names.includes(name));
}

async function logOf(
    cluster: ClusterAccess,
    { metadata, status }: Pod,
    { name }: Container,
): Promise<[string, string[]]> {
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
    const { restartCount = 0, state } = all.find((each) => each.name === name) ?? {};
    const before = restartCount > 0 && state?.waiting !== undefined ? ["--previous"] : [];
    const words = ["-n", metadata.namespace ?? "", "logs", metadata.name, "-c", name, `--tail=${LINES}`, ...before];
    const { code, stdout } = await cluster.tryKubectl([...words, "--request-timeout=5s"], undefined, 10);
    const lines = code === 0 ? stdout.trim().split("\n").filter(Boolean) : [];
    return [`${metadata.namespace}/${metadata.name}/${name}`, lines];
}
