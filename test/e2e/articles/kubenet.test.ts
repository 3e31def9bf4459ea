import { answeringPod, article, articleLab, ask, create, field, newPods, readyPod } from "../../support/article";
import { eventually, type Lab } from "../../support/lab";

const NODES = ["cp-1", "worker-1"] as const;

article("Hammering together the most basic Kubernetes cluster", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = articleLab("kubenet", "10.234.5.0/24");
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const policy = (node: string): string => lab.ssh(node, "iptables -S FORWARD").split("\n")[0] ?? "";

    it("begins with one node, as Docker would have it: its pods reach each other over the bridge", () => {
        lab.up({ workers: 0, stopAfter: "bridge" });
        create(lab, answeringPod("cp-1"), answeringPod("cp-1", "neighbour"));
        const address = readyPod(lab, "neighbour");
        readyPod(lab, "on-cp-1");
        expect(address).toMatch(/^10\.99\.0\./);
        expect(ask(lab, "on-cp-1", address)).toBe("neighbour");
    }, 600_000);

    it("gets a second node with the same bridge range: two pods have one address, and one hears itself for the other", () => {
        lab.up({ workers: 1 });
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0");
        lab.ssh("cp-1", "rm -rf /var/lib/cni/networks/kubenet");
        const [first, second = ""] = newPods(lab, ...NODES);
        expect(second).toBe(first);
        expect(ask(lab, "on-cp-1", second)).toBe("on-cp-1");
        expect(ask(lab, "on-worker-1", second)).toBe("on-worker-1");
    }, 600_000);

    it("gets a range per node: no address comes twice, and there is still no way across", () => {
        lab.up({ stopAfter: "pod-cidrs" });
        const [first = "", second = ""] = newPods(lab, ...NODES);
        expect(first).toMatch(/^10\.99\.255\./);
        expect(second).toMatch(/^10\.99\.1\./);
        expect(field(lab, "node/worker-1", "{.spec.podCIDR}")).toBe("10.99.1.0/24");
        expect(lab.ssh("cp-1", "ip route show proto 75").trim()).toBe("");
        expect(ask(lab, "on-cp-1", second)).toBe("no answer");
    }, 300_000);

    it("gets routes: packets arrive, and the FORWARD policy that Docker sets still drops them", () => {
        lab.up({ stopAfter: "routes" });
        const second = field(lab, "pod/on-worker-1", "{.status.podIP}");
        expect(lab.ssh("cp-1", "ip route show proto 75")).toContain("10.99.1.0/24 via 10.234.5.21");
        expect(policy("worker-1")).toBe("-P FORWARD DROP");
        expect(ask(lab, "on-cp-1", second)).toBe("no answer");
        // It is this policy and nothing else.
        lab.ssh("worker-1", "iptables -P FORWARD ACCEPT");
        expect(ask(lab, "on-cp-1", second)).toBe("on-worker-1");
        lab.ssh("worker-1", "iptables -P FORWARD DROP");
        expect(ask(lab, "on-cp-1", second)).toBe("no answer");
    }, 300_000);

    it("gets the FORWARD rules: the same pods reach each other both ways, whatever the policy is", () => {
        lab.up({ stopAfter: "network" });
        const addresses = NODES.map((node) => field(lab, `pod/on-${node}`, "{.status.podIP}"));
        expect(policy("worker-1")).toBe("-P FORWARD DROP");
        expect(ask(lab, "on-cp-1", addresses[1] ?? "")).toBe("on-worker-1");
        expect(ask(lab, "on-worker-1", addresses[0] ?? "")).toBe("on-cp-1");
    }, 300_000);

    it("has no service yet that answers: that takes kube-proxy, and a name takes the DNS", async () => {
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        lab.kubectl("expose", "deployment", "web", "--port=80");
        const address = field(lab, "service/web", "{.spec.clusterIP}");
        const question = `curl -sS --max-time 3 http://${address} || true`;
        expect(lab.ssh("worker-1", question)).not.toContain("Welcome to nginx");
        lab.up({ stopAfter: undefined });
        for (const node of ["cp-1", "worker-1"]) {
            await eventually(30, () => {
                expect(lab.ssh(node, question)).toContain("Welcome to nginx");
            });
        }
        expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
    }, 400_000);
});
