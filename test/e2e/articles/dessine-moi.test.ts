import { existsSync, readdirSync } from "node:fs";
import { article, articleLab, field } from "../../support/article";
import { eventually, type Lab, NO_CHANGES } from "../../support/lab";

const NETWORK = "10.234.3.0/24";

article("Dessine-moi un cluster", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = articleLab("dessine-moi", NETWORK);
        // The machine gets its parts over SSH, as a host that exists would.
        lab.configure({ local: { network: NETWORK, preloadParts: false } });
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    /** The rules that choose an endpoint of the service, in order: their probabilities, `1` for the one that takes the rest. */
    function probabilities(): number[] {
        const rules = lab.ssh("cp-1", "iptables-save -t nat").split("\n");
        const chain = rules
            .filter((rule) => rule.startsWith("-A KUBE-SERVICES ") && rule.includes("default/web"))
            .map((rule) => /-j (KUBE-SVC-\w+)/.exec(rule)?.[1])
            .find((name) => name !== undefined);
        return rules
            .filter((rule) => rule.startsWith(`-A ${chain ?? "none"} `) && rule.includes(" -j KUBE-SEP-"))
            .map((rule) => Number(/--probability ([\d.]+)/.exec(rule)?.[1] ?? 1));
    }

    it("can be toured without a person, from nothing to as far as its config goes", () => {
        lab.configure({ stopAfter: "etcd" });
        expect(lab.succeed("tour", ["--yes"])).toContain("The tour is complete.");
        lab.configure({ stopAfter: undefined });
    }, 300_000);

    it("runs every process as a unit, and each of the control plane under a user of its own", () => {
        const { seconds } = lab.up();
        console.log(`one node, every process a unit: ${seconds.toFixed(1)} s`);
        const units = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];
        const users = lab.ssh(
            "cp-1",
            `for unit in ${units.join(" ")}; do stat -c %U /proc/$(systemctl show -P MainPID $unit); done`,
        );
        expect(users.trim().split("\n")).toEqual([...units.slice(0, 4), "root", "root"]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);

    it("was sent its programs, each in a directory named by its sha256, and none twice", () => {
        const preloaded = readdirSync("/var/lib/kubelab/test-article-dessine-moi");
        expect(preloaded.filter((name) => name.startsWith(".parts"))).toEqual([]);
        const hashes = lab.ssh(
            "cp-1",
            "sha256sum $(readlink -f /usr/local/bin/kubelet /usr/local/bin/etcd /opt/cni/bin/bridge)",
        );
        const lines = hashes.trim().split("\n");
        expect(lines).toHaveLength(3);
        for (const line of lines) {
            expect(line).toMatch(/^([0-9a-f]{64}) {2}\/opt\/kubelab\/parts\/\1\/(kubelet|etcd|bridge)$/);
        }
    });

    it("runs pods on its control plane, which nothing keeps off it", () => {
        expect(field(lab, "node/cp-1", "{.spec.taints}")).toBe("");
    });

    it("creates and exposes a deployment: the service's chain has one endpoint, which takes every packet", async () => {
        lab.kubectl("create", "deployment", "web", "--image=nginx");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        lab.kubectl("expose", "deployment", "web", "--port=80");
        await eventually(30, () => {
            expect(probabilities()).toEqual([1]);
        });
        const address = field(lab, "service/web", "{.spec.clusterIP}");
        expect(lab.ssh("cp-1", `curl -sS --max-time 5 http://${address}`)).toContain("Welcome to nginx");
    }, 180_000);

    it("scales to four: four endpoints with the probabilities 1/4, 1/3, 1/2 and 1", async () => {
        lab.kubectl("scale", "deployment", "web", "--replicas=4");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        await eventually(30, () => {
            const [first = 0, second = 0, third = 0, last = 0, ...more] = probabilities();
            expect(more).toEqual([]);
            expect(first).toBeCloseTo(1 / 4, 4);
            expect(second).toBeCloseTo(1 / 3, 4);
            expect(third).toBeCloseTo(1 / 2, 4);
            expect(last).toBe(1);
        });
    }, 180_000);

    it("is answered by all four", () => {
        const pods = lab
            .kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")
            .trim()
            .split(" ");
        expect(pods).toHaveLength(4);
        for (const pod of pods) {
            lab.kubectl("exec", pod, "--", "sh", "-c", "hostname >/usr/share/nginx/html/index.html");
        }
        const address = field(lab, "service/web", "{.spec.clusterIP}");
        const answers = lab.ssh(
            "cp-1",
            `for i in $(seq 100); do curl -sS --max-time 5 http://${address}; done | sort -u`,
        );
        expect(answers.trim().split("\n")).toEqual([...pods].sort());
    }, 120_000);

    it("gets a DNS when that is switched on, and loses it with the service proxy, and nothing else", () => {
        const deployments = (): string => lab.kubectl("-n", "kube-system", "get", "deployments", "-o", "name").trim();
        lab.up({ components: undefined });
        expect(deployments()).toBe("deployment.apps/coredns");
        lab.up({ components: { kubeProxy: false, dns: false }, proxyMode: undefined });
        const units = lab.ssh("cp-1", "systemctl is-active kube-proxy kubelet kube-apiserver || true").trim();
        expect(units.split("\n")).toEqual(["inactive", "active", "active"]);
        expect(deployments()).toBe("");
    }, 300_000);

    it("goes down and takes everything with it", () => {
        lab.down();
        expect(existsSync("/var/lib/kubelab/test-article-dessine-moi")).toBe(false);
    }, 60_000);
});
