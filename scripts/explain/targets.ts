import type { EndpointSlice, Pod, Service, Snapshot } from "../inspect/snapshot";

/** A TCP port that nobody listens at (discard): a machine that refuses the connection has been reached. */
const NO_SERVER = 9;

/** ADDRESS:PORT at which a pod is asked; any answer means that packets reach it. */
export function podTargets({ spec, status }: Pod): string[] {
    if (status.podIP === undefined || status.phase !== "Running") {
        return [];
    }
    const ports = spec.containers.flatMap(({ ports: own = [] }) =>
        own.filter(({ protocol = "TCP" }) => protocol === "TCP").map(({ containerPort }) => containerPort),
    );
    return [`${status.podIP}:${ports[0] ?? NO_SERVER}`];
}

/** The addresses of a service with a cluster IP, port by port. */
export function serviceTargets({ spec }: Service): string[] {
    const { clusterIP = "None", ports = [] } = spec;
    return clusterIP === "None" || clusterIP === ""
        ? []
        : ports.filter(({ protocol = "TCP" }) => protocol === "TCP").map(({ port }) => `${clusterIP}:${port}`);
}

export function slicesOf({ metadata }: Service, { slices }: Snapshot): EndpointSlice[] {
    return slices.filter(
        (slice) =>
            slice.metadata.namespace === metadata.namespace &&
            slice.metadata.labels?.["kubernetes.io/service-name"] === metadata.name,
    );
}

/** Endpoints of one kind of readiness that packets are to reach. */
export function endpointTargets(service: Service, snapshot: Snapshot): string[] {
    return slicesOf(service, snapshot).flatMap(({ endpoints, ports }) =>
        (ports ?? [])
            .filter(({ port, protocol = "TCP" }) => port !== undefined && protocol === "TCP")
            .flatMap(({ port }) =>
                (endpoints ?? [])
                    .filter(({ conditions }) => conditions?.ready !== false)
                    .flatMap(({ addresses }) => addresses.map((address) => `${address}:${port}`)),
            ),
    );
}
