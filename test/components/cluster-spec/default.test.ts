import { PINNED, specOf } from "./support";

const CONTROL_PLANE = {
    name: "cp-1",
    role: "control-plane",
    index: 1,
    podCidr: "10.99.255.0/24",
    podGateway: "10.99.255.1",
    labels: {
        "node-role.kubernetes.io/control-plane": "",
        "node.kubernetes.io/exclude-from-external-load-balancers": "",
    },
    taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
};

function worker(index: number) {
    return {
        name: `worker-${index}`,
        role: "worker",
        index,
        podCidr: `10.99.${index}.0/24`,
        podGateway: `10.99.${index}.1`,
        labels: { "node-role.kubernetes.io/worker": "" },
        taints: [],
    };
}

const DEFAULT = {
    name: "kubenet",
    provider: "local",
    network: "kubenet",
    cniPlugin: "kube-router",
    overlay: "none",
    hosting: "systemd",
    nodeCertificates: "bootstrap",
    serviceProxy: { "control-plane": "kube-proxy", worker: "kube-proxy" },
    bridgeRange: { podCidr: "10.99.0.0/24", podGateway: "10.99.0.1" },
    steps: [
        ...["machines", "etcd", "api-server", "controller-manager", "scheduler"],
        ...["containerd", "kubelet", "bridge", "pod-cidrs", "routes", "network", "kube-proxy", "dns"],
    ],
    proxyMode: "nftables",
    podCidr: "10.99.0.0/16",
    serviceCidr: "10.32.0.0/24",
    apiServiceIp: "10.32.0.1",
    dnsIp: "10.32.0.10",
    clusterDomain: "cluster.local",
    api: {
        name: "api.kubenet",
        address: "10.240.0.10",
        moves: false,
        holders: [],
        port: 6443,
        dnsNames: [
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "api.kubenet",
            "localhost",
        ],
        ipAddresses: ["127.0.0.1", "10.32.0.1", "10.240.0.10"],
    },
    highlyAvailable: false,
    mostControlPlanes: 1,
    controlPlanes: [CONTROL_PLANE],
    workers: [worker(1), worker(2)],
    nodes: [CONTROL_PLANE, worker(1), worker(2)],
    versions: PINNED,
    components: { scheduler: true, controllerManager: true, kubeProxy: true, dns: true },
    flags: {},
    insecure: [],
    secretFlags: [],
    encryptionKeys: ["key-1"],
    authorities: { "kubernetes-ca": [1], "etcd-ca": [1], "front-proxy-ca": [1], "service-accounts": [1] },
    podSecurity: { enforce: "baseline", warn: "restricted" },
    upgrade: { maxUnavailable: 1, drainTimeout: 300 },
    registryMirrors: {},
    repair: {},
    newKeys: {},
    parts: { source: "auto", delivery: "push" },
    local: {
        network: "10.240.0.0/24",
        prefixLength: 24,
        gateway: "10.240.0.1",
        apiAddress: "10.240.0.10",
        addresses: { "cp-1": "10.240.0.11", "worker-1": "10.240.0.21", "worker-2": "10.240.0.22" },
        networking: "bridge",
        outer: {
            gateway: "10.240.0.1",
            apiAddress: "10.240.0.10",
            addresses: { "cp-1": "10.240.0.11", "worker-1": "10.240.0.21", "worker-2": "10.240.0.22" },
            sshPort: 22,
        },
        registryPort: 5000,
        preloadParts: true,
        driver: { "control-plane": "auto", worker: "auto" },
        virtual: [],
        vm: { cpus: 2, memory: 2048, disk: 20, accelerator: "auto" },
    },
};

test("an empty config describes one control plane and two workers on local machines with kubenet", () => {
    expect(specOf({})).toStrictEqual(DEFAULT);
});

test("the description can't be changed at any depth", () => {
    const unfrozen: string[] = [];
    const visit = (value: unknown, path: string): void => {
        if (typeof value === "object" && value !== null) {
            if (!Object.isFrozen(value)) {
                unfrozen.push(path);
            }
            Object.entries(value).forEach(([key, inner]) => visit(inner, `${path}.${key}`));
        }
    };
    visit(
        specOf({ flags: { kubelet: { v: "4" } }, registryMirrors: { "docker.io": ["https://mirror.example"] } }),
        "spec",
    );
    expect(unfrozen).toEqual([]);
});

test("texts as Pulumi gives them mean the same as parsed values", () => {
    const texts = {
        workers: "3",
        versions: '{"etcd":"3.6.1"}',
        components: '{"dns":"false"}',
        flags: '{"kubelet":{"v":4}}',
        local: '{"network":"10.8.0.0/24","registryPort":"5001"}',
        hosts: "[]",
    };
    const parsed = {
        workers: 3,
        versions: { etcd: "3.6.1" },
        components: { dns: false },
        flags: { kubelet: { v: "4" } },
        local: { network: "10.8.0.0/24", registryPort: 5001, preloadParts: true },
    };
    const spec = specOf(texts);
    expect(spec).toStrictEqual(specOf(parsed));
    expect(spec.versions).toEqual({ ...PINNED, etcd: "3.6.1" });
    expect(spec.local?.addresses["worker-3"]).toBe("10.8.0.23");
    expect(spec.flags).toEqual({ kubelet: { v: "4" } });
});

test("the lab's name reaches the API endpoint, and the domain and service CIDR its certificate", () => {
    const spec = specOf({ name: "blue", clusterDomain: "example.internal", serviceCidr: "172.20.0.0/16" });
    expect(spec.api.dnsNames).toEqual(expect.arrayContaining(["api.blue", "kubernetes.default.svc.example.internal"]));
    expect(spec.api.ipAddresses).toContain("172.20.0.1");
    expect(spec.dnsIp).toBe("172.20.0.10");
});

test("a cluster without workers runs pods on its control plane", () => {
    const [only, ...others] = specOf({ workers: 0 }).nodes;
    expect(others).toEqual([]);
    expect(only?.taints).toEqual([]);
});

test("without kube-proxy nothing implements services", () => {
    expect(specOf({ components: { kubeProxy: false, dns: false } }).serviceProxy).toEqual({
        "control-plane": "none",
        worker: "none",
    });
});
