import type { NetworkObjects } from "../../scripts/inspect/objects";
import type { Machine, World } from "../../scripts/path/world";

/** A machine that nothing is known of but what is given. */
export function machine(name: string, address: string, changes: Partial<Machine> = {}): Machine {
    return {
        ...{ name, address },
        network: { links: [], routes: [], rules: [], neighbours: [], forwarding: [], settings: {}, pods: [] },
        rules: { chains: [], rules: [], legacy: {}, ipvs: [] },
        evidence: { facts: {}, podNetwork: "kubenet", pods: [] },
        crossings: { request: [], reply: [] },
        routes: () => Promise.resolve({ refused: "Network is unreachable" }),
        command: (commandLine) => `scripts/lab ssh ${name} -- ${commandLine}`,
        ...changes,
    };
}

/** Two workers with a pod CIDR each; `far` is a pod of worker-2, `web` its service. */
export function world(podNetwork: string, machines: readonly Machine[], changes: Partial<NetworkObjects> = {}): World {
    const metadata = (name: string): { name: string; namespace: string; creationTimestamp: string } => ({
        ...{ name, namespace: "default", creationTimestamp: "2026-11-29T02:00:00Z" },
    });
    return {
        objects: {
            pods: [
                {
                    metadata: { ...metadata("far"), labels: { app: "far" } },
                    spec: { nodeName: "worker-2", containers: [] },
                    status: { phase: "Running", podIP: "10.99.2.3" },
                },
            ],
            services: [
                {
                    metadata: metadata("web"),
                    spec: {
                        ...{ type: "ClusterIP", clusterIP: "10.32.0.99", selector: { app: "far" } },
                        ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
                    },
                },
            ],
            endpointSlices: [],
            nodes: ["worker-1", "worker-2"].map((name, index) => ({
                metadata: { name, creationTimestamp: "2026-11-29T02:00:00Z" },
                spec: { podCIDR: `10.99.${index + 1}.0/24` },
                status: {},
            })),
            ...changes,
        },
        nodes: [
            { name: "worker-1", role: "worker", address: "10.240.0.21" },
            { name: "worker-2", role: "worker", address: "10.240.0.22" },
        ],
        ...{ podNetwork, machines },
        kubectl: (words) => `scripts/lab kubectl ${words}`,
    };
}
