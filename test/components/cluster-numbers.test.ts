import { parse, parseAllDocuments } from "yaml";
import { clusterGraph, fileOf, filesOf, flagIn, requestIn, script } from "../support/graph";
import type { Run } from "../support/mocks";
import { testSpec, UNUSUAL } from "../support/spec";

jest.setTimeout(60_000);

const spec = testSpec({ ...UNUSUAL, workers: 2 });
let graph: Run;

beforeAll(async () => {
    graph = await clusterGraph(spec);
});

const unit = (node: string, name: string): string =>
    fileOf(graph, `${node}-${name}`, `/etc/systemd/system/${name}.service`);

test("the spec itself has what was asked for", () => {
    expect(spec).toMatchObject({
        podCidr: "172.20.0.0/15",
        serviceCidr: "192.168.128.0/20",
        apiServiceIp: "192.168.128.1",
        dnsIp: "192.168.128.10",
        clusterDomain: "lab.internal",
        local: { network: "10.7.3.0/25", gateway: "10.7.3.1", apiAddress: "10.7.3.10" },
    });
});

describe("the service CIDR", () => {
    test("is the range that the API server and the controller manager hand out addresses from", () => {
        expect(flagIn(unit("cp-1", "kube-apiserver"), "service-cluster-ip-range")).toBe("192.168.128.0/20");
        expect(flagIn(unit("cp-1", "kube-controller-manager"), "service-cluster-ip-range")).toBe("192.168.128.0/20");
    });

    test("has the service `kubernetes` as its first address, which the API server's certificate names", () => {
        expect(requestIn(graph, "cp-1", "kube-apiserver").ipAddresses).toEqual([
            "127.0.0.1",
            "192.168.128.1",
            "10.7.3.10",
            "10.7.3.11",
        ]);
    });

    test("has DNS as its tenth address, which pods are told to ask", () => {
        for (const { name } of spec.nodes) {
            const kubelet = fileOf(graph, `${name}-kubelet`, "/etc/kubernetes/kubelet/kubelet.yaml");
            expect(parse(kubelet)).toMatchObject({ clusterDNS: ["192.168.128.10"], clusterDomain: "lab.internal" });
        }
        expect(objects("coredns").find(({ kind }) => kind === "Service")).toMatchObject({
            metadata: { name: "kube-dns", namespace: "kube-system" },
            spec: { clusterIP: "192.168.128.10" },
        });
    });

    test("is nowhere the default one", () => {
        const text = JSON.stringify(graph.resources);
        expect(text).toContain("192.168.128.");
        expect(text).not.toMatch(/\b10\.(32|96)\.0\./);
    });
});

test("the cluster's domain is the same for DNS, kubelets, tokens and the certificate", () => {
    const configMap = objects("coredns").find(({ kind }) => kind === "ConfigMap");
    expect(configMap?.data?.Corefile).toMatch(/^ {4}kubernetes lab\.internal /m);
    expect(flagIn(unit("cp-1", "kube-apiserver"), "service-account-issuer")).toBe(
        "https://kubernetes.default.svc.lab.internal",
    );
    expect(requestIn(graph, "cp-1", "kube-apiserver").dnsNames).toEqual([
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.lab.internal",
        "api.test",
        "localhost",
        "cp-1",
    ]);
    expect(JSON.stringify(graph.resources)).not.toContain("cluster.local");
});

describe("the pod CIDR", () => {
    const expected = {
        "cp-1": { podCidr: "172.21.255.0/24", gateway: "172.21.255.1", address: "10.7.3.11" },
        "worker-1": { podCidr: "172.20.1.0/24", gateway: "172.20.1.1", address: "10.7.3.21" },
        "worker-2": { podCidr: "172.20.2.0/24", gateway: "172.20.2.1", address: "10.7.3.22" },
    };
    const nodes = Object.entries(expected);

    test.each(nodes)("%s: its CNI plugin, its Node object and its neighbours' routes agree", (name, own) => {
        const cni = JSON.parse(fileOf(graph, `${name}-kubenet`, "/etc/cni/net.d/10-kubenet.conflist")) as {
            plugins: { ipam?: { ranges: unknown } }[];
        };
        expect(cni.plugins[0]?.ipam?.ranges).toEqual([[{ subnet: own.podCidr, gateway: own.gateway }]]);

        const node = JSON.parse(
            /<<'NODE'[^\n]*\n(.*)\nNODE\n/.exec(script(graph, `${name}-node`))?.[1] ?? "",
        ) as object;
        expect(node).toMatchObject({ spec: { podCIDR: own.podCidr, podCIDRs: [own.podCidr] } });

        for (const [other] of nodes) {
            const wanted = `    route ${own.podCidr} ${own.address} # ${name}\n`;
            expect([other, routes(other).includes(wanted)]).toEqual([other, other !== name]);
        }
    });

    test("is what the proxy takes for the cluster's inside and what the nodes forward", () => {
        for (const [name, own] of nodes) {
            const proxy = fileOf(graph, `${name}-kube-proxy`, "/etc/kubernetes/kube-proxy/kube-proxy.yaml");
            expect(parse(proxy)).toMatchObject({ clusterCIDR: "172.20.0.0/15" });
            expect(routes(name)).toContain("-A KUBENET-FORWARD -s 172.20.0.0/15 -j ACCEPT\n");
            expect(routes(name)).toContain("-A KUBENET-FORWARD -d 172.20.0.0/15 -j ACCEPT\n");
            expect(routes(name)).toContain("-A KUBENET-POSTROUTING -d 172.20.0.0/15 -j RETURN\n");
            expect(routes(name)).toContain(`-A KUBENET-POSTROUTING ! -s ${own.podCidr} -j RETURN\n`);
        }
    });

    test("is handed out by the spec and not a second time by the controller manager", () => {
        const controllerManager = unit("cp-1", "kube-controller-manager");
        expect(flagIn(controllerManager, "allocate-node-cidrs")).toBe("false");
        expect(flagIn(controllerManager, "cluster-cidr")).toBeUndefined();
    });
});

describe("a machine's address", () => {
    test("is the only one that is approved for its kubelet's port, and its node's InternalIP", () => {
        expect(script(graph, "worker-2-node")).toContain("\nknow_node known-nodes worker-2 10.7.3.22\n");
        expect(flagIn(unit("worker-2", "kubelet"), "node-ip")).toBe("10.7.3.22");
    });

    test("is in its kubelet's certificate where that is issued", async () => {
        const issued = await clusterGraph(testSpec({ ...UNUSUAL, workers: 2, nodeCertificates: "issued" }));
        expect(requestIn(issued, "worker-2", "kubelet-server")).toMatchObject({
            ipAddresses: ["10.7.3.22"],
            dnsNames: ["worker-2"],
        });
    });

    test("is where etcd listens, in its certificates, and what the API server advertises", () => {
        const etcd = unit("cp-1", "etcd");
        expect(flagIn(etcd, "initial-cluster")).toBe("cp-1=https://10.7.3.11:2380");
        expect(flagIn(etcd, "listen-client-urls")).toBe("https://127.0.0.1:2379,https://10.7.3.11:2379");
        expect(requestIn(graph, "cp-1", "etcd-server").ipAddresses).toEqual(["10.7.3.11", "127.0.0.1"]);
        expect(requestIn(graph, "cp-1", "etcd-peer").ipAddresses).toEqual(["10.7.3.11", "127.0.0.1"]);
        expect(flagIn(unit("cp-1", "kube-apiserver"), "advertise-address")).toBe("10.7.3.11");
    });
});

test("every node finds the API endpoint by the name that the kubeconfigs and the certificate give it", () => {
    for (const { name } of spec.nodes) {
        expect(script(graph, `${name}-ready`)).toContain("<<'LINES'\n10.7.3.10 api.test\nLINES\n");
    }
    const kubelet = filesOf(script(graph, "worker-1-kubelet"))["/etc/kubernetes/kubelet/bootstrap.conf"] ?? "";
    expect(parse(kubelet)).toMatchObject({ clusters: [{ cluster: { server: "https://api.test:6443" } }] });
});

function routes(node: string): string {
    return fileOf(graph, `${node}-kubenet`, "/usr/local/lib/kubelab/kubenet");
}

interface Manifest {
    readonly kind: string;
    readonly data?: { readonly Corefile: string };
}

function objects(step: string): Manifest[] {
    const documents = /<<'KUBELAB_MANIFESTS'\n([^]*?)KUBELAB_MANIFESTS\n/.exec(script(graph, step))?.[1] ?? "";
    return parseAllDocuments(documents).map((document) => document.toJS() as Manifest);
}
