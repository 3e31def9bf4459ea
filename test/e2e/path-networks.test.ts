import { eventually, story } from "../support/lab";
import { PathLab } from "../support/path-lab";

/** A policy that lets nobody call the pod `far`. */
const DENY = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "deny" },
    spec: { podSelector: { matchLabels: { app: "far" } }, policyTypes: ["Ingress"] },
};

story("the path of a packet on kube-router", () => {
    let lab: PathLab;

    beforeAll(() => {
        lab = new PathLab("path-router", "10.243.2.0/24");
        lab.configure({ network: "cni", cniPlugin: "kube-router", controlPlanes: 1, workers: 2 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("goes by the route that kube-router has learnt, and through its rules", () => {
        lab.up();
        lab.createPods();
        const hops = lab.wholePath("client", "far");
        const route = hops.find(({ place, machine }) => place === "route" && machine === "worker-1");
        expect(route).toMatchObject({ component: "kube-router", direction: "request" });
        expect(route?.name).toMatch(/^10\.99\.\d+\.0\/24 via 10\.243\.2\.22 dev eth0$/);
        expect(hops.some(({ place, component }) => place === "rule" && component === "kube-router")).toBe(true);
        expect(PathLab.way(hops)).toContain("worker-1 bridge kube-bridge");
        lab.wholePath("client", "web");
    }, 900_000);

    it("is lost at the policy's chain where one denies, and whole when it is gone", async () => {
        lab.apply(DENY);
        await eventually(60, () => lab.lostHop("client", "far"));
        const hop = lab.lostHop("client", "far");
        expect(hop).toMatchObject({ machine: "worker-2", place: "rule", component: "kube-router" });
        expect(hop.lost?.why).toContain("a NetworkPolicy refuses it");
        expect(hop.lost?.should).toContain("default/far");
        lab.kubectl("delete", "networkpolicy", "deny");
        await eventually(60, () => lab.wholePath("client", "far"));
    }, 300_000);
});

story("the path of a packet on flannel", () => {
    let lab: PathLab;

    beforeAll(() => {
        lab = new PathLab("path-flannel", "10.243.3.0/24");
        lab.configure({
            ...{ network: "cni", cniPlugin: "flannel", overlay: "full" },
            ...{ proxyMode: "iptables", controlPlanes: 1, workers: 2 },
        });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("goes into a tunnel and comes out of it on the other node", () => {
        lab.up();
        lab.createPods();
        const way = PathLab.way(lab.wholePath("client", "far"), "request");
        expect(way).toContain("worker-1 tunnel flannel.1");
        expect(way).toContain("worker-2 tunnel flannel.1");
    }, 900_000);

    it("shows kube-proxy's rules as iptables has them", () => {
        const hops = lab.wholePath("client", "web");
        const translation = hops.find(({ component, what }) => component === "kube-proxy" && what.includes("-j DNAT"));
        expect(translation?.what).toContain("service default/web");
        expect(translation?.command).toContain("iptables -t nat -S KUBE-SEP-");
    }, 120_000);
});

story("the path of a packet on a bridge per node", () => {
    let lab: PathLab;

    beforeAll(() => {
        lab = new PathLab("path-bridge", "10.243.4.0/24");
        lab.configure({ network: "bridge", controlPlanes: 1, workers: 2 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("is whole on one node", () => {
        lab.up();
        lab.createPods();
        expect(lab.wholePath("client", "near").every(({ machine }) => machine === "worker-1")).toBe(true);
    }, 600_000);
});
