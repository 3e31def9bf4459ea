import { answeringPod, article, articleLab, ask, create, field, readyPod } from "../../support/article";
import type { Lab } from "../../support/lab";
import { Tour } from "../../support/tour";

const NODES = ["cp-1", "worker-1"] as const;

article("Hammering together the most basic Kubernetes cluster", () => {
    let lab: Lab;
    /** Brings the cluster up; the tests look around where it waits. */
    let tour: Tour;

    beforeAll(() => {
        lab = articleLab("kubenet", "10.234.5.0/24");
        lab.configure({ workers: 1 });
        tour = new Tour(lab);
    });
    afterAll(async () => {
        await tour.leave();
        lab.remove();
    }, 120_000);

    const policy = (node: string): string => lab.ssh(node, "iptables -S FORWARD").split("\n")[0] ?? "";

    interface Pod {
        readonly name: string;
        readonly node: string;
        readonly address: string;
    }

    /** The pods that answer with their name, those of the tour too. */
    const answering = (): Pod[] => {
        const fields = '{range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIP}{"\\n"}{end}';
        const lines = lab.kubectl("get", "pods", "-o", `jsonpath=${fields}`).trim().split("\n");
        return lines
            .map((line) => line.split(" "))
            .map(([name = "", node = "", address = ""]) => ({ name, node, address }))
            .filter(({ name }) => /^(on-|neighbour|everywhere-)/.test(name));
    };

    it("begins as Docker would have it: pods of a node reach each other over the bridge", async () => {
        await tour.goTo("bridge");
        create(lab, answeringPod("cp-1"), answeringPod("cp-1", "neighbour"), answeringPod("worker-1"));
        const address = readyPod(lab, "neighbour");
        expect(address).toMatch(/^10\.99\.0\./);
        readyPod(lab, "on-cp-1");
        expect(ask(lab, "on-cp-1", address)).toBe("neighbour");
    }, 600_000);

    it("has the same bridge range on the other node: two pods have one address, and each node hears its own", () => {
        readyPod(lab, "on-worker-1");
        const pods = answering();
        const [first] = pods.filter(
            ({ node, address }) =>
                node === "cp-1" && pods.some((other) => other.node === "worker-1" && other.address === address),
        );
        const second = pods.find(({ node, address }) => node === "worker-1" && address === first?.address);
        expect([first?.node, second?.node]).toEqual(["cp-1", "worker-1"]);
        expect(ask(lab, "on-cp-1", first?.address ?? "")).toBe(first?.name);
        expect(ask(lab, "on-worker-1", first?.address ?? "")).toBe(second?.name);
    }, 180_000);

    it("gets a range per node: no address comes twice, and there is still no way across", async () => {
        await tour.goTo("pod-cidrs");
        create(lab, ...NODES.map((node) => answeringPod(node)));
        const [first = "", second = ""] = NODES.map((node) => readyPod(lab, `on-${node}`));
        expect(first).toMatch(/^10\.99\.255\./);
        expect(second).toMatch(/^10\.99\.1\./);
        const addresses = answering().map(({ address }) => address);
        expect(new Set(addresses).size).toBe(addresses.length);
        expect(field(lab, "node/worker-1", "{.spec.podCIDR}")).toBe("10.99.1.0/24");
        expect(lab.ssh("cp-1", "ip route show proto 75").trim()).toBe("");
        expect(ask(lab, "on-cp-1", second)).toBe("no answer");
    }, 300_000);

    it("gets routes: packets arrive, and the FORWARD policy that Docker sets still drops them", async () => {
        await tour.goTo("routes");
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

    it("gets the FORWARD rules: the same pods reach each other both ways, whatever the policy is", async () => {
        await tour.goTo("network");
        const addresses = NODES.map((node) => field(lab, `pod/on-${node}`, "{.status.podIP}"));
        expect(policy("worker-1")).toBe("-P FORWARD DROP");
        expect(ask(lab, "on-cp-1", addresses[1] ?? "")).toBe("on-worker-1");
        expect(ask(lab, "on-worker-1", addresses[0] ?? "")).toBe("on-cp-1");
    }, 300_000);

    it("has no service yet that answers: that takes kube-proxy, and a name takes the DNS", async () => {
        const address = field(lab, "service/web", "{.spec.clusterIP}");
        const question = `curl -sS --max-time 3 http://${address} || true`;
        expect(lab.ssh("worker-1", question)).not.toContain("Welcome to nginx");
        expect(await tour.end()).toContain("The tour is complete.");
        for (const node of NODES) {
            expect(lab.ssh(node, question)).toContain("Welcome to nginx");
        }
        expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
    }, 400_000);

    it("has no second tour while it is up", () => {
        const { code, stderr } = lab.run("tour", ["--yes"]);
        expect(code).toBe(1);
        expect(stderr).toMatch(/is up already: run 'scripts\/lab down/);
    });
});
