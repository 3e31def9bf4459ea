import { ensureParts } from "../../../scripts/parts";
import { article, articleLab, ask, field, newPods } from "../../support/article";
import type { Lab } from "../../support/lab";

const NODES = ["cp-1", "worker-1"] as const;

article("Hammering together the most basic Kubernetes cluster, by a plugin", () => {
    let lab: Lab;

    beforeAll(async () => {
        lab = articleLab("cni", "10.234.8.0/24");
        const { manifest } = await ensureParts({ source: "auto" }, () => undefined);
        const kubeRouter = manifest.images.some(({ name }) => name.includes("kube-router"));
        console.log(`the plugin: ${kubeRouter ? "kube-router" : "flannel, as the parts have no image of kube-router"}`);
        lab.configure({ workers: 1, cniPlugin: kubeRouter ? "kube-router" : "flannel" });
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("begins with one bridge range on all nodes: two pods have one address, and one hears itself for the other", () => {
        lab.up({ stopAfter: "bridge" });
        const [first, second = ""] = newPods(lab, ...NODES);
        expect(second).toBe(first);
        expect(ask(lab, "on-cp-1", second)).toBe("on-cp-1");
        expect(ask(lab, "on-worker-1", second)).toBe("on-worker-1");
    }, 600_000);

    it("gets the plugin: every node has a range of its own, and pods reach each other both ways", () => {
        lab.up({ stopAfter: "network" });
        const [first = "", second = ""] = newPods(lab, ...NODES);
        const ranges = NODES.map((node) => field(lab, `node/${node}`, "{.spec.podCIDR}"));
        expect(new Set(ranges).size).toBe(2);
        expect(first).not.toBe(second);
        expect(ask(lab, "on-cp-1", second)).toBe("on-worker-1");
        expect(ask(lab, "on-worker-1", first)).toBe("on-cp-1");
        expect(lab.ssh("worker-1", "ls /etc/cni/net.d")).not.toContain("bridge");
    }, 600_000);

    it("goes on to the whole cluster", () => {
        lab.up({ stopAfter: undefined });
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0");
        expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
    }, 400_000);
});
