import { existsSync, readdirSync } from "node:fs";
import { Lab, NO_CHANGES, noLabsHere } from "../support/lab";

const reason = noLabsHere();
const story = reason === undefined ? describe : describe.skip;

story(
    `a cluster of one machine that gets its parts over SSH${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    () => {
        let lab: Lab;

        beforeAll(() => {
            lab = new Lab("one-node", "10.242.0.0/24");
            lab.configure({ workers: 0, local: { network: "10.242.0.0/24", preloadParts: false } });
        });
        afterAll(() => {
            lab.remove();
        }, 120_000);

        it("comes up: its programs were sent, each in a directory named by its sha256, and none twice", () => {
            lab.up();
            expect(readdirSync("/var/lib/kubelab/test-one-node").filter((name) => name.startsWith(".parts"))).toEqual(
                [],
            );
            const hashes = lab.ssh(
                "cp-1",
                "sha256sum $(readlink -f /usr/local/bin/kubelet /usr/local/bin/etcd /opt/cni/bin/bridge)",
            );
            const lines = hashes.trim().split("\n");
            expect(lines).toHaveLength(3);
            for (const line of lines) {
                expect(line).toMatch(/^([0-9a-f]{64}) {2}\/opt\/kubelab\/parts\/\1\/(kubelet|etcd|bridge)$/);
            }
            expect(lab.upChanges()).toEqual(NO_CHANGES);
        }, 300_000);

        it("runs pods on its control plane, which nothing keeps off it", () => {
            expect(lab.kubectl("get", "node", "cp-1", "-o", "jsonpath={.spec.taints}").trim()).toBe("");
            lab.kubectl("create", "deployment", "web", "--image=nginx");
            lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        }, 180_000);

        it("loses the service proxy and the DNS when they are switched off, and nothing else", () => {
            lab.up({ components: { kubeProxy: false, dns: false } });
            const units = lab.ssh("cp-1", "systemctl is-active kube-proxy kubelet kube-apiserver || true").trim();
            expect(units.split("\n")).toEqual(["inactive", "active", "active"]);
            expect(lab.kubectl("-n", "kube-system", "get", "deployments", "-o", "name").trim()).toBe("");
        }, 180_000);

        it("goes down and takes everything with it", () => {
            lab.down();
            expect(existsSync("/var/lib/kubelab/test-one-node")).toBe(false);
        }, 60_000);
    },
);
