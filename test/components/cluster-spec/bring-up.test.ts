import { specOf } from "./support";

test("with units the control plane comes first, with static pods the kubelet that runs it", () => {
    const steps = (hosting: string): string => specOf({ hosting }).steps.join(" ");
    expect(steps("systemd")).toBe(
        "machines etcd api-server controller-manager scheduler containerd kubelet bridge pod-cidrs routes network kube-proxy dns",
    );
    expect(steps("static-pods")).toBe(
        "machines containerd kubelet bridge pod-cidrs routes network etcd api-server controller-manager scheduler kube-proxy dns",
    );
});

test("stopAfter leaves out all later steps", () => {
    expect(specOf({ stopAfter: "machines" }).steps).toEqual(["machines"]);
    expect(specOf({ stopAfter: "etcd", hosting: "static-pods" }).steps).toEqual([
        ...["machines", "containerd", "kubelet", "bridge", "pod-cidrs", "routes", "network", "etcd"],
    ]);
    expect(specOf({ stopAfter: "dns" }).steps).toEqual(specOf({}).steps);
});

test("a component that is switched off is no step", () => {
    const components = { scheduler: false, controllerManager: false, kubeProxy: false, dns: false };
    const { steps } = specOf({ components, network: "bridge" });
    expect(steps).toEqual(["machines", "etcd", "api-server", "containerd", "kubelet", "network"]);
});

test("a plugin's own pods need the whole control plane, also where that is static pods", () => {
    expect(specOf({ hosting: "static-pods", network: "cni" }).steps.join(" ")).toBe(
        "machines containerd kubelet etcd api-server controller-manager scheduler bridge network kube-proxy dns",
    );
});
