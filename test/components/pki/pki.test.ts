import { clusterGraph, find } from "../../support/graph";
import type { Properties, Run } from "../../support/mocks";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const SIGNED = "tls:index/locallySignedCert:LocallySignedCert";
const REQUEST = "tls:index/certRequest:CertRequest";
const AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert";
let graph: Run;

beforeAll(async () => {
    graph = await clusterGraph(testSpec({ workers: 1 }));
});

/** authority | common name | organization | uses | names, by the certificate's resource */
function certificates(): Record<string, string> {
    const rows = graph.resources
        .filter(({ type }) => type === SIGNED)
        .map(({ name, dependencies, inputs }) => {
            const request = find(graph, REQUEST, `${name}-request`).inputs;
            const subject = request["subject"] as Properties;
            const uses = (inputs["allowedUses"] as string[]).filter((use) => use !== "digital_signature");
            const names = [request["dnsNames"], request["ipAddresses"]].flatMap((each) => (each ?? []) as string[]);
            const authority = graph.resources.find(
                ({ type, urn }) => type === AUTHORITY && dependencies.includes(urn),
            )?.name;
            return [
                name,
                [
                    authority,
                    subject["commonName"],
                    subject["organization"] ?? "-",
                    uses.join("+"),
                    names.join(" ") || "-",
                ].join(" | "),
            ] as const;
        });
    return Object.fromEntries(rows);
}

test("each certificate says who it is for, and may be used for that and nothing else", () => {
    expect(certificates()).toEqual({
        admin: "kubernetes-ca | kubelab:admin | kubelab:cluster-admins | client_auth | -",
        "cp-1-etcd-server": "etcd-ca | cp-1 | - | server_auth | cp-1 localhost 10.240.0.11 127.0.0.1",
        "cp-1-etcd-peer": "etcd-ca | cp-1 | - | server_auth+client_auth | cp-1 localhost 10.240.0.11 127.0.0.1",
        "cp-1-etcd-client": "etcd-ca | etcdctl | - | client_auth | -",
        "cp-1-kube-apiserver-etcd-client": "etcd-ca | kube-apiserver | - | client_auth | -",
        "cp-1-kube-apiserver-front-proxy-client": "front-proxy-ca | front-proxy-client | - | client_auth | -",
        "cp-1-kube-apiserver":
            "kubernetes-ca | kube-apiserver | - | server_auth | kubernetes kubernetes.default kubernetes.default.svc " +
            "kubernetes.default.svc.cluster.local api.test localhost cp-1 127.0.0.1 10.32.0.1 10.240.0.10 10.240.0.11",
        "cp-1-kube-apiserver-kubelet-client": "kubernetes-ca | kube-apiserver-kubelet-client | - | client_auth | -",
        "cp-1-kube-controller-manager": "kubernetes-ca | system:kube-controller-manager | - | client_auth | -",
        "cp-1-kube-controller-manager-server":
            "kubernetes-ca | kube-controller-manager | - | server_auth | localhost 127.0.0.1",
        "cp-1-kube-scheduler": "kubernetes-ca | system:kube-scheduler | - | client_auth | -",
        "cp-1-kube-scheduler-server": "kubernetes-ca | kube-scheduler | - | server_auth | localhost 127.0.0.1",
        "cp-1-super-admin": "kubernetes-ca | kubelab:super-admin | system:masters | client_auth | -",
        "cp-1-kubelet": "kubernetes-ca | system:node:cp-1 | system:nodes | client_auth | -",
        "cp-1-kubelet-server": "kubernetes-ca | system:node:cp-1 | - | server_auth | cp-1 10.240.0.11",
        "cp-1-kube-proxy": "kubernetes-ca | system:kube-proxy | - | client_auth | -",
        "worker-1-kubelet": "kubernetes-ca | system:node:worker-1 | system:nodes | client_auth | -",
        "worker-1-kubelet-server": "kubernetes-ca | system:node:worker-1 | - | server_auth | worker-1 10.240.0.21",
        "worker-1-kube-proxy": "kubernetes-ca | system:kube-proxy | - | client_auth | -",
    });
});

test("there are three authorities, each with a key of its own", () => {
    const authorities = graph.resources.filter(
        ({ type, inputs }) => type === AUTHORITY && inputs["isCaCertificate"] === true,
    );
    expect(authorities.map(({ name }) => name).sort()).toEqual(["etcd-ca", "front-proxy-ca", "kubernetes-ca"]);
    const keys = authorities.map(({ inputs }) => JSON.stringify(inputs["privateKeyPem"]));
    expect(new Set(keys).size).toBe(3);
});

test("no two certificates share a key", () => {
    const keys = graph.resources
        .filter(({ type }) => type === REQUEST)
        .map(({ inputs }) => JSON.stringify(inputs["privateKeyPem"]));
    expect(new Set(keys).size).toBe(keys.length);
});

test("a certificate is renewed a month before it ends, and its authority outlives it by years", () => {
    for (const { type, inputs } of graph.resources) {
        if (type === SIGNED) {
            expect(inputs).toMatchObject({ validityPeriodHours: 365 * 24, earlyRenewalHours: 30 * 24 });
        }
        if (type === AUTHORITY && inputs["isCaCertificate"] === true) {
            expect(inputs).toMatchObject({ validityPeriodHours: 10 * 365 * 24 });
        }
    }
});
