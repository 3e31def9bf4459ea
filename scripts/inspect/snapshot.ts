import type { ClusterAccess } from "../cli/cluster-access";
import type { ApiEvent } from "./events";
import type * as objects from "./objects";

/** The fields that are read of the API's objects. https://kubernetes.io/docs/reference/kubernetes-api/ */
export interface Metadata {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly generation?: number;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
}

export type Labels = Readonly<Record<string, string>>;

export interface Condition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly lastTransitionTime?: string | null;
}

interface Entity<Kind extends string> {
    readonly kind: Kind;
    readonly metadata: Metadata;
}

export interface ContainerState {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: {
        readonly exitCode: number;
        readonly signal?: number;
        readonly reason?: string;
        readonly message?: string;
        readonly finishedAt?: string | null;
    };
}

export interface ContainerStatus {
    readonly name: string;
    readonly image: string;
    readonly ready: boolean;
    readonly started?: boolean;
    readonly restartCount: number;
    readonly state?: ContainerState;
    readonly lastState?: ContainerState;
}

export interface Probe {
    readonly httpGet?: { readonly path?: string; readonly port: number | string };
    readonly tcpSocket?: { readonly port: number | string };
    readonly exec?: { readonly command?: readonly string[] };
    readonly grpc?: { readonly port: number };
}

export interface Container {
    readonly name: string;
    readonly image: string;
    readonly restartPolicy?: string;
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
    readonly readinessProbe?: Probe;
}

export interface PodSpec {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly schedulingGates?: readonly { readonly name: string }[];
    readonly serviceAccountName?: string;
    readonly hostNetwork?: boolean;
    readonly restartPolicy?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly readinessGates?: readonly { readonly conditionType: string }[];
    readonly volumes?: readonly {
        readonly name: string;
        readonly persistentVolumeClaim?: { readonly claimName: string };
    }[];
}

export interface Pod extends Entity<"Pod"> {
    readonly spec: PodSpec;
    readonly status: {
        readonly phase?: string;
        readonly reason?: string;
        readonly message?: string;
        readonly podIP?: string;
        readonly hostIP?: string;
        readonly startTime?: string;
        readonly conditions?: readonly Condition[];
        readonly initContainerStatuses?: readonly ContainerStatus[];
        readonly containerStatuses?: readonly ContainerStatus[];
    };
}

export interface Node extends Entity<"Node"> {
    readonly spec: {
        readonly podCIDR?: string;
        readonly unschedulable?: boolean;
        readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
    };
    readonly status: {
        readonly conditions?: readonly Condition[];
        readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    };
}

export interface Service extends Entity<"Service"> {
    readonly spec: objects.Service["spec"] & { readonly publishNotReadyAddresses?: boolean };
    readonly status: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
}

export interface EndpointSlice extends Entity<"EndpointSlice"> {
    readonly addressType: objects.EndpointSlice["addressType"];
    /** null where a service has no pods. */
    readonly endpoints?: objects.EndpointSlice["endpoints"] | null;
    readonly ports?: objects.EndpointSlice["ports"] | null;
}

/** What makes pods, of any of these kinds. */
export interface Workload extends Entity<"Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job"> {
    readonly spec: {
        readonly replicas?: number;
        readonly paused?: boolean;
        readonly suspend?: boolean;
        readonly completions?: number;
        readonly parallelism?: number;
        readonly backoffLimit?: number;
        readonly selector?: { readonly matchLabels?: Labels };
        readonly template: { readonly metadata?: { readonly labels?: Labels }; readonly spec: PodSpec };
    };
    readonly status: {
        readonly observedGeneration?: number;
        readonly replicas?: number;
        readonly readyReplicas?: number;
        readonly currentNumberScheduled?: number;
        readonly desiredNumberScheduled?: number;
        readonly numberReady?: number;
        readonly active?: number;
        readonly succeeded?: number;
        readonly failed?: number;
        readonly startTime?: string;
        readonly conditions?: readonly Condition[];
    };
}

export interface Claim extends Entity<"PersistentVolumeClaim"> {
    readonly spec: { readonly storageClassName?: string; readonly volumeName?: string };
    readonly status: { readonly phase?: string };
}

export interface StorageClass extends Entity<"StorageClass"> {
    readonly provisioner: string;
    readonly volumeBindingMode?: string;
}

export interface ServiceAccount extends Entity<"ServiceAccount"> {
    readonly automountServiceAccountToken?: boolean;
}

export type Explained = Pod | Node | Service | Workload | Claim;
type Item = Explained | EndpointSlice | StorageClass | ServiceAccount | ({ readonly kind: "Event" } & ApiEvent);

/** What the API has of one moment, of all namespaces. */
export interface Snapshot {
    readonly pods: readonly Pod[];
    readonly nodes: readonly Node[];
    readonly services: readonly Service[];
    readonly slices: readonly EndpointSlice[];
    readonly workloads: readonly Workload[];
    readonly claims: readonly Claim[];
    readonly storageClasses: readonly StorageClass[];
    readonly serviceAccounts: readonly ServiceAccount[];
    readonly events: readonly ApiEvent[];
}

const RESOURCES = [
    ...["pods", "nodes", "services", "endpointslices.discovery.k8s.io"],
    ...["deployments.apps", "replicasets.apps", "daemonsets.apps", "statefulsets.apps", "jobs.batch"],
    ...["persistentvolumeclaims", "storageclasses.storage.k8s.io", "serviceaccounts", "events"],
];

/** Reads them with one kubectl. @throws Error with what kubectl said, as where the API doesn't answer within ten seconds. */
export async function readSnapshot(cluster: ClusterAccess): Promise<Snapshot> {
    const words = ["get", RESOURCES.join(","), "--all-namespaces", "--request-timeout=10s", "-o", "json"];
    return parseSnapshot(await cluster.kubectl(words));
}

/** Of a List, as `kubectl get -o json` prints it. */
export function parseSnapshot(text: string): Snapshot {
    const { items } = JSON.parse(text) as { readonly items: readonly Item[] };
    const of = <Kind extends Item["kind"]>(...kinds: readonly Kind[]): Extract<Item, { kind: Kind }>[] =>
        items.filter((item): item is Extract<Item, { kind: Kind }> => (kinds as readonly string[]).includes(item.kind));
    return {
        pods: of("Pod"),
        nodes: of("Node"),
        services: of("Service"),
        slices: of("EndpointSlice"),
        workloads: items.filter((item): item is Workload => WORKLOADS.includes(item.kind)),
        claims: of("PersistentVolumeClaim"),
        storageClasses: of("StorageClass"),
        serviceAccounts: of("ServiceAccount"),
        events: of("Event"),
    };
}

const WORKLOADS: readonly string[] = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"];

export function condition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
    return conditions?.find((each) => each.type === type);
}

/** Whether an object with these labels is selected. An empty selector selects nothing here. */
export function selects(selector: Labels | undefined, labels: Labels | undefined): boolean {
    const wanted = Object.entries(selector ?? {});
    return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

export function ownedBy(object: { readonly metadata: Metadata }, owner: { readonly metadata: Metadata }): boolean {
    return object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;
}
