import { execFileSync } from "node:child_process";
import { join } from "node:path";
import {
    certificatesOfState,
    daysLeft,
    endsSoon,
    parseKubeletFiles,
    renderCertificates,
    renewalFlags,
} from "../../../scripts/cli/certificates";
import { isHealthyNode, parseExpiring, renderStatus } from "../../../scripts/cli/status";
import { Stack } from "../../../scripts/cli/stack";
import { temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

/** A certificate that signs itself, for so many days. */
function certificate(commonName: string, days: number): string {
    const key = join(directory.path, `${commonName}.key`);
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
    const about = ["-days", String(days), "-subj", `/O=kubelab/CN=${commonName}`];
    return execFileSync("openssl", [...made, ...about], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

const SIGNED = "tls:index/locallySignedCert:LocallySignedCert";
const SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert";
const urn = (type: string, name: string): string => `urn:pulumi:blue::kubelab::kubelab:index:Cluster$${type}::${name}`;
const RESOURCES = [
    { urn: "urn:pulumi:blue::kubelab::kubelab:index:Cluster::blue", type: "kubelab:index:Cluster" },
    { urn: urn(SIGNED, "blue-cp-1-etcd-server"), type: SIGNED, outputs: { certPem: certificate("etcd", 400) } },
    { urn: urn(SELF_SIGNED, "blue-etcd-ca"), type: SELF_SIGNED, outputs: { certPem: certificate("etcd-ca", 3650) } },
    { urn: urn("command:remote:Command", "blue-cp-1-etcd"), type: "command:remote:Command", outputs: { stdout: "" } },
];
const KUBELET = parseKubeletFiles("worker-1", `# client\n${certificate("system:node:worker-1", 7)}`);
const ALL = [...certificatesOfState(RESOURCES), ...KUBELET];
const later = (days: number): Date => new Date(Date.now() + days * 86_400_000);
const soon = (days: number): string[] => ALL.filter((each) => endsSoon(each, later(days))).map(({ name }) => name);

test("the state's certificates and those of kubelets have names without the cluster's, an end, and who renews them", () => {
    const known = ALL.map(({ name, subject, renewedBy }) => [name, subject, renewedBy]);
    expect(known).toEqual([
        ["cp-1-etcd-server", "CN=etcd, O=kubelab", "up"],
        ["etcd-ca", "CN=etcd-ca, O=kubelab", "rotation"],
        ["worker-1-kubelet-client", "CN=system:node:worker-1, O=kubelab", "kubelet"],
    ]);
    expect(ALL.map((each) => daysLeft(each, later(0.5)))).toEqual([399, 3649, 6]);
    expect(parseKubeletFiles("cp-1", "")).toEqual([]);
});

test("those that end next come first", () => {
    const names = renderCertificates(ALL, new Date()).split("\n");
    expect(names.map((line) => line.split(" ")[0])).toEqual([
        "NAME",
        "worker-1-kubelet-client",
        "cp-1-etcd-server",
        "etcd-ca",
    ]);
});

test("one ends soon thirty days before, and a kubelet's, of a week, a day before", () => {
    expect(soon(5.5)).toEqual([]);
    expect(soon(6.5)).toEqual(["worker-1-kubelet-client"]);
    expect(soon(371)).toEqual(["cp-1-etcd-server", "worker-1-kubelet-client"]);
});

describe("renewal", () => {
    test("replaces the certificates named, or all that up renews", () => {
        const replaced = ["--replace", urn(SIGNED, "blue-cp-1-etcd-server")];
        expect(renewalFlags(ALL, ["cp-1-etcd-server"])).toEqual(replaced);
        expect(renewalFlags(ALL, "all")).toEqual(replaced);
    });

    test.each([
        ["worker-1-kubelet-client", /renewed by its kubelet/],
        ["etcd-ca", /an authority's: 'certs renew --authority etcd-ca'/],
        ["cp-1-etcd", /no certificate cp-1-etcd\. .*: cp-1-etcd-server\./],
    ])("of %s is refused with the reason", (name, reason) => {
        expect(() => renewalFlags(ALL, [name])).toThrow(reason);
    });
});

test("status shows what ends within thirty days, and what to do", () => {
    const line = "/etc/etcd/server.crt notAfter=Dec 20 10:00:00 2026 GMT\n";
    const expiring = parseExpiring(line, new Date("2026-12-20T09:00:00Z"));
    expect(expiring).toEqual([{ file: "/etc/etcd/server.crt", ends: "2026-12-20", expired: false }]);
    const node = { name: "cp-1", role: "control-plane", address: "10.240.0.11", ready: true, units: [] } as const;
    const text = renderStatus(new Stack("/clone", "lab"), "https://10.240.0.10:6443", {
        host: [],
        nodes: [{ ...node, differences: [], expiring }],
    });
    expect(text).toContain("expires: /etc/etcd/server.crt on 2026-12-20: 'scripts/lab up --stack lab' renews it");
    const healthy = { ...node, differences: [], expiring };
    expect(isHealthyNode(healthy)).toBe(true);
    const expired = parseExpiring(line, new Date("2026-12-20T11:00:00Z"));
    expect(isHealthyNode({ ...healthy, expiring: expired })).toBe(false);
});
