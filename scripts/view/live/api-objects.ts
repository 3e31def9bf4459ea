import type { Endpoint, Health, Pod, Service } from "../model";

/** Objects of the API as far as they are read. https://kubernetes.io/docs/reference/kubernetes-api/ */
interface Metadata {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
}

interface Condition {
    readonly type: string;
    readonly status: string;
}

interface ContainerStatus {
    readonly restartCount: number;
    readonly state?: {
        readonly waiting?: { readonly reason?: string };
        readonly terminated?: { readonly reason?: string };
    };
}

export interface ApiObject {
    readonly metadata: Metadata;
}

export interface ApiNode extends ApiObject {
    readonly spec?: { readonly podCIDR?: string; readonly unschedulable?: boolean };
    readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface ApiPod extends ApiObject {
    readonly spec: {
        readonly nodeName?: string;
        readonly hostNetwork?: boolean;
        readonly containers: readonly { readonly name: string }[];
    };
    readonly status?: {
        readonly phase?: string;
        readonly reason?: string;
        readonly podIP?: string;
        readonly conditions?: readonly Condition[];
        readonly containerStatuses?: readonly ContainerStatus[];
        readonly initContainerStatuses?: readonly ContainerStatus[];
    };
}

export interface ApiService extends ApiObject {
    readonly spec: {
        readonly type?: string;
        readonly clusterIP?: string;
        readonly ports?: readonly {
            readonly port: number;
            readonly targetPort?: number | string;
            readonly protocol?: string;
        }[];
    };
}

export interface ApiEndpointSlice extends ApiObject {
    readonly endpoints?:
        | readonly {
              readonly addresses: readonly string[];
              readonly conditions?: { readonly ready?: boolean };
              readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
          }[]
        | null;
}

/** A node, as far as the model has it. */
export interface NodeFacts {
    readonly name: string;
    readonly ready: boolean;
    readonly cordoned: boolean;
    readonly podCidr?: string;
}

/** A slice of a service's endpoints. */
export interface SliceFacts {
    readonly namespace: string;
    readonly service: string;
    readonly endpoints: readonly Endpoint[];
}

/** A service without its endpoints. */
export type ServiceFacts = Omit<Service, "endpoints" | "health" | "state">;

const holds = (conditions: readonly Condition[] = [], type: string): boolean =>
    conditions.some((condition) => condition.type === type && condition.status === "True");

export function nodeFacts({ metadata, spec, status }: ApiNode): NodeFacts {
    return {
        name: metadata.name,
        ready: holds(status?.conditions, "Ready"),
        cordoned: spec?.unschedulable ?? false,
        ...(spec?.podCIDR === undefined ? {} : { podCidr: spec.podCIDR }),
    };
}

export function podFacts({ metadata, spec, status = {} }: ApiPod): Pod {
    const { containerStatuses = [], initContainerStatuses = [] } = status;
    return {
        namespace: metadata.namespace ?? "default",
        name: metadata.name,
        hostNetwork: spec.hostNetwork ?? false,
        ...(spec.nodeName === undefined ? {} : { node: spec.nodeName }),
        ...(status.podIP === undefined ? {} : { address: status.podIP }),
        ...stateOfPod(metadata, status),
        restarts: [...containerStatuses, ...initContainerStatuses].reduce((sum, each) => sum + each.restartCount, 0),
        containers: spec.containers.map(({ name }) => name),
    };
}

/** Reasons for waiting that come by themselves and go. */
const PASSING = new Set(["ContainerCreating", "PodInitializing"]);

/** As `kubectl get pods` has it in its column STATUS, in short. */
function stateOfPod(
    { deletionTimestamp }: Metadata,
    status: NonNullable<ApiPod["status"]>,
): { readonly health: Health; readonly state: string } {
    const { phase = "Pending", reason, conditions, containerStatuses = [], initContainerStatuses = [] } = status;
    if (deletionTimestamp !== undefined) {
        return { health: "moving", state: "Terminating" };
    }
    const waiting = [...initContainerStatuses, ...containerStatuses]
        .map(({ state }) => state?.waiting?.reason)
        .find((each) => each !== undefined);
    if (waiting !== undefined) {
        return { health: PASSING.has(waiting) ? "moving" : "bad", state: waiting };
    }
    switch (phase) {
        case "Running":
            return holds(conditions, "Ready")
                ? { health: "good", state: "Running" }
                : { health: "bad", state: "NotReady" };
        case "Succeeded":
            return { health: "off", state: "Completed" };
        case "Failed":
            return { health: "bad", state: reason ?? "Error" };
        case "Pending":
            return { health: "moving", state: "Pending" };
        default:
            return { health: "unknown", state: phase };
    }
}

export function serviceFacts({ metadata, spec }: ApiService): ServiceFacts {
    return {
        namespace: metadata.namespace ?? "default",
        name: metadata.name,
        type: spec.type ?? "ClusterIP",
        address: spec.clusterIP ?? "None",
        ports: (spec.ports ?? []).map(({ port, targetPort = port, protocol = "TCP" }) =>
            targetPort === port ? `${port}/${protocol}` : `${port}→${targetPort}/${protocol}`,
        ),
    };
}

export function sliceFacts({ metadata, endpoints }: ApiEndpointSlice): SliceFacts {
    return {
        namespace: metadata.namespace ?? "default",
        service: metadata.labels?.["kubernetes.io/service-name"] ?? "",
        endpoints: (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) =>
            addresses.map((address) => ({
                address,
                ready: conditions?.ready ?? true,
                ...(targetRef?.kind === "Pod" ? { pod: `${targetRef.namespace}/${targetRef.name}` } : {}),
            })),
        ),
    };
}
