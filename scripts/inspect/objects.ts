import type { ClusterAccess } from "../cli/cluster-access";

export interface Metadata {
    readonly name: string;
    /** Missing where the kind has none, as nodes. */
    readonly namespace?: string;
    /** ISO 8601, UTC, whole seconds. */
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export interface Pod {
    readonly metadata: Metadata;
    readonly spec: {
        readonly nodeName?: string;
        readonly hostNetwork?: boolean;
        readonly containers: readonly {
            readonly name: string;
            readonly image: string;
            readonly ports?: readonly {
                readonly name?: string;
                readonly containerPort: number;
                readonly hostPort?: number;
                readonly protocol?: Protocol;
            }[];
        }[];
    };
    readonly status: {
        readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
        readonly podIP?: string;
        readonly startTime?: string;
        readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
        readonly containerStatuses?: readonly {
            readonly name: string;
            readonly ready: boolean;
            readonly restartCount: number;
            readonly state: { readonly running?: { readonly startedAt: string } };
        }[];
    };
}

export type Protocol = "TCP" | "UDP" | "SCTP";

export interface ServicePort {
    /** Missing where the service has one port only. */
    readonly name?: string;
    readonly protocol: Protocol;
    readonly port: number;
    /** A number, or the name of a port of the pods. */
    readonly targetPort: number | string;
    readonly nodePort?: number;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/ */
export interface Service {
    readonly metadata: Metadata;
    readonly spec: {
        readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
        /** `None` for a headless service, missing for an ExternalName. */
        readonly clusterIP?: string;
        readonly externalIPs?: readonly string[];
        readonly externalName?: string;
        readonly selector?: Readonly<Record<string, string>>;
        readonly ports?: readonly ServicePort[];
        readonly externalTrafficPolicy?: "Cluster" | "Local";
        readonly internalTrafficPolicy?: "Cluster" | "Local";
        readonly sessionAffinity?: "None" | "ClientIP";
    };
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/ */
export interface EndpointSlice {
    readonly metadata: Metadata;
    readonly addressType: "IPv4" | "IPv6" | "FQDN";
    readonly endpoints?: readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
        readonly nodeName?: string;
        readonly targetRef?: { readonly kind: string; readonly name: string; readonly namespace?: string };
    }[];
    readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: Protocol }[];
}

export interface NodeObject {
    readonly metadata: Metadata;
    readonly spec: { readonly podCIDR?: string; readonly unschedulable?: boolean };
    readonly status: {
        readonly addresses?: readonly { readonly type: string; readonly address: string }[];
        readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
    };
}

/** The objects of the cluster that say where packets go, of all namespaces, as the API server has them now. */
export interface NetworkObjects {
    readonly pods: readonly Pod[];
    readonly services: readonly Service[];
    readonly endpointSlices: readonly EndpointSlice[];
    readonly nodes: readonly NodeObject[];
}

/** A slice of a service without pods has null for lists. */
interface WithNull extends Omit<EndpointSlice, "endpoints" | "ports"> {
    readonly endpoints: EndpointSlice["endpoints"] | null;
    readonly ports: EndpointSlice["ports"] | null;
}

/** @throws Error with what kubectl says where the API server does not answer. */
export async function readNetworkObjects(cluster: ClusterAccess): Promise<NetworkObjects> {
    const kinds = "pods,services,endpointslices.discovery.k8s.io,nodes";
    return parseNetworkObjects(await cluster.kubectl(["get", kinds, "--all-namespaces", "-o", "json"]));
}

/** @param text a List, as `kubectl get … -o json` prints it. */
export function parseNetworkObjects(text: string): NetworkObjects {
    const { items } = JSON.parse(text) as { readonly items: readonly { readonly kind: string }[] };
    const ofKind = <Kind>(kind: string): Kind[] => items.filter((item) => item.kind === kind) as unknown as Kind[];
    return {
        pods: ofKind<Pod>("Pod"),
        services: ofKind<Service>("Service"),
        endpointSlices: ofKind<WithNull>("EndpointSlice").map((slice) => ({
            ...slice,
            endpoints: slice.endpoints ?? [],
            ports: slice.ports ?? [],
        })),
        nodes: ofKind<NodeObject>("Node"),
    };
}

/** The slices of a service. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#ownership */
export function slicesOf(service: Service, { endpointSlices }: NetworkObjects): readonly EndpointSlice[] {
    const { name, namespace } = service.metadata;
    return endpointSlices.filter(
        ({ metadata }) => metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === name,
    );
}

/** One address and port that a port of a service leads to. */
export interface ServiceEndpoint {
    readonly address: string;
    readonly port: number;
    readonly ready: boolean;
    readonly nodeName?: string;
    /** `namespace/name` of the pod. */
    readonly pod?: string;
}

/** Where a port of a service leads, ready or not. */
export function endpointsOf(service: Service, port: ServicePort, objects: NetworkObjects): readonly ServiceEndpoint[] {
    return slicesOf(service, objects).flatMap(({ endpoints = [], ports = [], metadata }) => {
        const target = ports.find(
            ({ name = "", protocol }) => name === (port.name ?? "") && protocol === port.protocol,
        );
        return target?.port === undefined
            ? []
            : endpoints.flatMap(({ addresses, conditions, nodeName, targetRef }) =>
                  addresses.map((address) => ({
                      address,
                      port: target.port ?? 0,
                      ready: conditions?.ready ?? true,
                      ...(nodeName === undefined ? {} : { nodeName }),
                      ...(targetRef?.kind === "Pod"
                          ? { pod: `${targetRef.namespace ?? metadata.namespace ?? ""}/${targetRef.name}` }
                          : {}),
                  })),
              );
    });
}
