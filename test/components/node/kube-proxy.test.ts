import { parse } from "yaml";
import { kubeProxyConfiguration } from "../../../components/node/kube-proxy";
import { FACTS, testSpec, UNUSUAL } from "../../support/spec";

test("the configuration", () => {
    expect(parse(kubeProxyConfiguration(testSpec(UNUSUAL), FACTS))).toEqual({
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        clientConnection: { kubeconfig: "/etc/kubernetes/kube-proxy/kube-proxy.conf" },
        mode: "nftables",
        clusterCIDR: "172.20.0.0/15",
        conntrack: { maxPerCore: 0 },
    });
});

test("the mode is the one of the config", () => {
    expect(parse(kubeProxyConfiguration(testSpec({ proxyMode: "iptables" }), FACTS))).toMatchObject({
        mode: "iptables",
    });
});

test("the connection table keeps kube-proxy's own size where the machine can change it", () => {
    const facts = { ...FACTS, conntrackMaxPerCore: undefined };
    expect(parse(kubeProxyConfiguration(testSpec(), facts))).not.toHaveProperty("conntrack");
});
