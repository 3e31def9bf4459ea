import { parse } from "yaml";
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

test("serves with a certificate of the cluster's authority instead of one it signs itself", () => {
    expect(configuration()).toMatchObject({
        tlsCertFile: "/etc/kubernetes/kubelet/server.crt",
        tlsPrivateKeyFile: "/etc/kubernetes/kubelet/server.key",
    });
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
