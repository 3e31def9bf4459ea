import { parse } from "yaml";
import type { RawConfig } from "../../../components/cluster-spec";
import { kubeletConfiguration, kubeletProcess } from "../../../components/node/kubelet";
import { FACTS, testSpec, UNUSUAL } from "../../support/spec";

const configuration = (facts = {}): Record<string, unknown> =>
    parse(kubeletConfiguration(testSpec(), { ...FACTS, ...facts }, "worker")) as Record<string, unknown>;

test("the configuration", () => {
    expect(kubeletConfiguration(testSpec(UNUSUAL), FACTS, "worker")).toMatchSnapshot();
});

test("nobody gets at the kubelet's port without the API server's word for it", () => {
    expect(configuration()).toMatchObject({
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: "/etc/kubernetes/kubelet/ca.crt" },
        },
        authorization: { mode: "Webhook" },
        enableProfilingHandler: false,
    });
    expect(configuration()).not.toHaveProperty("readOnlyPort");
});

describe("the certificate of its port is the cluster's authority's instead of one that it signs itself", () => {
    test("where it asks for it, and renews both of its certificates", () => {
        expect(configuration()).toMatchObject({ rotateCertificates: true, serverTLSBootstrap: true });
        expect(configuration()).not.toHaveProperty("tlsCertFile");
    });

    test("where it is issued", () => {
        const issued = testSpec({ nodeCertificates: "issued" });
        expect(parse(kubeletConfiguration(issued, FACTS, "worker"))).toMatchObject({
            tlsCertFile: "/etc/kubernetes/kubelet/server.crt",
            tlsPrivateKeyFile: "/etc/kubernetes/kubelet/server.key",
        });
    });
});

test("a kubelet that asks for its certificates waits until its token is taken, and one whose are issued for nothing", () => {
    const lines = (config: RawConfig): string[] =>
        (kubeletProcess(testSpec(config), "worker-1", "10.240.0.21", "worker").service ?? []).filter((line) =>
            line.startsWith("ExecStartPre="),
        );
    expect(lines({})).toEqual(["ExecStartPre=/bin/bash /usr/local/lib/kubelab/join wait api.test:6443"]);
    expect(lines({ nodeCertificates: "issued" })).toEqual([]);
    expect(lines({ hosting: "static-pods" })).toEqual([]);
});

test("what the kind of machine needs set differently comes from its facts", () => {
    expect(configuration({ cgroupDriver: "systemd", failCgroupV1: true, failSwapOn: true })).toMatchObject({
        cgroupDriver: "systemd",
        failCgroupV1: true,
        failSwapOn: true,
    });
});

test("a kubelet that stops leaves its pods running", () => {
    expect(kubeletProcess(testSpec(), "worker-1", "10.240.0.21", "worker").service).toContain("KillMode=process");
});

test("a pod has the runtime's seccomp profile, and a share of the process ids", () => {
    expect(configuration()).toMatchObject({ seccompDefault: true, podPidsLimit: 4096 });
});

test("serves with strong cipher suites, and with a user's beside them", () => {
    const strong = ["128_GCM_SHA256", "256_GCM_SHA384"].map((end) => `TLS_ECDHE_ECDSA_WITH_AES_${end}`);
    const suites = [...strong, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"];
    expect(configuration()["tlsCipherSuites"]).toEqual(suites);
    const own = testSpec({ flags: { kubelet: { "tls-cipher-suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" } } });
    expect(parse(kubeletConfiguration(own, FACTS, "worker"))).toMatchObject({
        tlsCipherSuites: [...suites, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    });
    // Else the flag would replace the file's.
    const { flags } = kubeletProcess(own, "worker-1", "10.240.0.21", "worker");
    expect(flags.map(({ name }) => name)).not.toContain("tls-cipher-suites");
});
