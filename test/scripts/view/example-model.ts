import type { Machine, Model, Pod, Service, Unit } from "../../../scripts/view/model";

const CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "node-approver"];
const NODE = ["kubenet", "cni-config.path", "containerd", "kubelet", "kube-proxy"];

/** A healthy lab of so many machines, with a deployment `web` and its service. */
export function exampleModel(count = 3): Model {
    const machines = Array.from({ length: count }, (_, index) => exampleMachine(index, count));
    const last = machines.at(-1)?.name ?? "";
    const pods = [
        examplePod("default", "web-59f7bb89cd-8d5rj", machines[1]?.name ?? last, "10.99.1.3"),
        examplePod("default", "web-59f7bb89cd-klq2m", last, "10.99.2.3"),
        examplePod("kube-system", "coredns-7d9c4b6f5d-x2kqp", machines[1]?.name ?? last, "10.99.1.2"),
    ];
    return {
        stack: "kubenet",
        podNetwork: "kubenet",
        api: { address: "https://10.240.0.10:6443", health: "good", state: "answers" },
        bridge: { name: "lab-kubenet", addresses: ["10.240.0.1/24"], health: "good" },
        machines,
        pods,
        services: [
            exampleService("default", "kubernetes", "10.32.0.1", ["443→6443/TCP"], [{ address: "10.240.0.11" }]),
            exampleService("default", "web", "10.32.0.87", ["80/TCP"], pods.slice(0, 2)),
            exampleService("kube-system", "kube-dns", "10.32.0.10", ["53/UDP", "53/TCP"], pods.slice(2)),
        ],
    };
}

const addressOf = (index: number): string => (index === 0 ? "10.240.0.11" : `10.240.0.${20 + index}`);
const rangeOf = (index: number): string => (index === 0 ? "10.99.255" : `10.99.${index}`);

export function exampleUnit(name: string): Unit {
    return { name, health: "good", state: "active", restarts: 0, since: "2026-11-29T03:00:00.000Z" };
}

function exampleMachine(index: number, count: number): Machine {
    const others = Array.from({ length: count }, (_, other) => other).filter((other) => other !== index);
    const address = addressOf(index);
    return {
        name: index === 0 ? "cp-1" : `worker-${index}`,
        role: index === 0 ? "control-plane" : "worker",
        address,
        podCidr: `${rangeOf(index)}.0/24`,
        health: "good",
        state: "answers",
        node: { health: "good", state: "Ready", cordoned: false },
        units: [...(index === 0 ? CONTROL_PLANE : []), ...NODE].map(exampleUnit),
        addresses: [
            { device: "host0", address: `${address}/24` },
            { device: "cbr0", address: `${rangeOf(index)}.1/24` },
        ],
        bridges: [{ name: "cbr0", addresses: [`${rangeOf(index)}.1/24`] }],
        routes: [
            { destination: "default", via: "10.240.0.1", device: "host0" },
            { destination: `${rangeOf(index)}.0/24`, device: "cbr0" },
            ...others.map((other) => ({
                destination: `${rangeOf(other)}.0/24`,
                via: addressOf(other),
                device: "host0",
            })),
        ],
        attached: true,
    };
}

export function examplePod(namespace: string, name: string, node: string, address: string): Pod {
    return {
        ...{ namespace, name, node, address, hostNetwork: false, health: "good", state: "Running", restarts: 0 },
        containers: ["main"],
    };
}

function exampleService(
    namespace: string,
    name: string,
    address: string,
    ports: readonly string[],
    behind: readonly (Pick<Pod, "address"> & Partial<Pod>)[],
): Service {
    const endpoints = behind.map((pod) => ({
        address: pod.address ?? "",
        ready: true,
        ...(pod.name === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` }),
    }));
    const state = `${endpoints.length} of ${endpoints.length} endpoint${endpoints.length === 1 ? "" : "s"} ready`;
    return { namespace, name, type: "ClusterIP", address, ports, endpoints, health: "good", state };
}
