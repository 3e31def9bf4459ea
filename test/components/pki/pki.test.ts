import type { RawConfig } from "../../../components/cluster-spec";
import { clusterGraph, find, requestIn } from "../../support/graph";
import { settingsIn } from "../../support/machine-requests";
import type { Run } from "../../support/mocks";
import { unwrap } from "../../support/secrets";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const SIGNED = "tls:index/locallySignedCert:LocallySignedCert";
const REQUEST = "tls:index/certRequest:CertRequest";
const AUTHORITY = "tls:index/selfSignedCert:SelfSignedCert";
let graph: Run;

beforeAll(async () => {
    graph = await clusterGraph(testSpec({ workers: 1, nodeCertificates: "issued" }));
});

/** What is signed: the administrator's request is made here, the others on the machines. */
function requestOf(name: string): ReturnType<typeof requestIn> {
    const [, machine = "", certificate = ""] = /^(cp-1|worker-1)-(.*)$/.exec(name) ?? [];
    if (machine !== "") {
        return requestIn(graph, machine, certificate);
    }
    const subject = find(graph, REQUEST, `${name}-request`).inputs["subject"] as {
        readonly commonName: string;
        readonly organization: string;
    };
    return { ...subject, dnsNames: [], ipAddresses: [] };
}

/** authority | common name | organization | uses | names, by the certificate's resource */
function certificates(): Record<string, string> {
    const rows = graph.resources
        .filter(({ type }) => type === SIGNED)
        .map(({ name, dependencies, inputs }) => {
            const { commonName, organization, dnsNames, ipAddresses } = requestOf(name);
            const uses = (inputs["allowedUses"] as string[]).filter((use) => use !== "digital_signature");
            const names = [...dnsNames, ...ipAddresses];
            const authority = graph.resources.find(
                ({ type, urn }) => type === AUTHORITY && dependencies.includes(urn),
            )?.name;
            return [
                name,
                [authority, commonName, organization ?? "-", uses.join("+"), names.join(" ") || "-"].join(" | "),
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
        "cp-1-kube-proxy": "kubernetes-ca | system:kube-proxy:cp-1 | kubelab:kube-proxies | client_auth | -",
        "worker-1-kubelet": "kubernetes-ca | system:node:worker-1 | system:nodes | client_auth | -",
        "worker-1-kubelet-server": "kubernetes-ca | system:node:worker-1 | - | server_auth | worker-1 10.240.0.21",
        "worker-1-kube-proxy": "kubernetes-ca | system:kube-proxy:worker-1 | kubelab:kube-proxies | client_auth | -",
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

test("no two certificates share a key, and only the administrator's is made here", () => {
    const requests = graph.resources
        .filter(({ type }) => type === SIGNED)
        .map(({ inputs }) => String(unwrap(inputs["certRequestPem"])));
    expect(new Set(requests).size).toBe(requests.length);
    const keys = graph.resources.filter(({ type }) => type === "tls:index/privateKey:PrivateKey");
    expect(keys.map(({ name }) => name).sort()).toEqual([
        ...["admin-key", "cp-1-host-key", "etcd-ca-key", "front-proxy-ca-key", "kubernetes-ca-key", "registry-key"],
        ...["service-accounts", "ssh-key", "worker-1-host-key"],
    ]);
});

test("a machine is asked for the certificates of what runs on it, and for no others", async () => {
    const asked = async (config: RawConfig): Promise<Record<string, string[]>> => {
        const run = await clusterGraph(testSpec(config));
        const steps = run.resources.filter(({ name }) => name.endsWith("-keys"));
        return Object.fromEntries(
            steps.map(({ name, inputs }) => [name, Object.keys(settingsIn(String(unwrap(inputs["stdin"]))))]),
        );
    };
    const etcd = ["etcd-server", "etcd-peer", "etcd-client"];
    const components = { controllerManager: false, scheduler: false, kubeProxy: false, dns: false };
    expect(await asked({ workers: 0, stopAfter: "machines" })).toEqual({});
    expect(await asked({ workers: 1, stopAfter: "etcd" })).toEqual({ "cp-1-keys": etcd });
    expect(await asked({ workers: 0, hosting: "static-pods", network: "bridge", components })).toEqual({
        "cp-1-keys": [
            ...etcd,
            "kube-apiserver",
            ...["etcd-client", "kubelet-client", "front-proxy-client"].map((each) => `kube-apiserver-${each}`),
            ...["super-admin", "kubelet", "kubelet-server"],
        ],
    });
});

test("a preview of a new cluster, whose machines have no keys yet, has all its certificates", async () => {
    const preview = await clusterGraph(testSpec({ workers: 1, nodeCertificates: "issued" }), { preview: true });
    const names = (run: Run): string[] => run.resources.map(({ name }) => name).sort();
    expect(names(preview)).toEqual(names(graph));
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
