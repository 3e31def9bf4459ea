import { article, articleLab, field } from "../../support/article";
import { eventually, type Lab } from "../../support/lab";

const CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/** The running containers of the control plane: a pod that was replaced has another one. */
function containers(lab: Lab): Record<string, string> {
    const text = lab.ssh(
        "cp-1",
        `for name in ${CONTROL_PLANE.join(" ")}; do echo "$name $(pgrep -x "\${name:0:15}")"; done`,
    );
    return Object.fromEntries(
        text
            .trim()
            .split("\n")
            .map((line) => line.split(" "))
            .map(([name = "", pid = ""]) => [name, pid]),
    );
}

function changed(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
    return Object.keys(after).filter((name) => after[name] !== before[name]);
}

article("Build a Minikube From Scratch", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = articleLab("from-scratch", "10.234.2.0/24");
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const addresses = (): string[] =>
        lab.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}").trim().split(" ");
    const page = (address: string): string => lab.ssh("cp-1", `curl -sS --max-time 5 http://${address}`);

    it("brings the control plane up as four static pods, each as a user of its own", async () => {
        const { seconds } = lab.up();
        console.log(`one node, control plane as static pods: ${seconds.toFixed(1)} s`);
        // A kubelet that was refused, as the API server knew no priorities yet, tries again after a minute or so.
        await eventually(120, () => {
            const pods = lab.kubectl("-n", "kube-system", "get", "pods", "--no-headers");
            for (const name of CONTROL_PLANE) {
                expect(pods).toMatch(new RegExp(`^${name}-cp-1 +1/1 +Running `, "m"));
            }
        });
        const users = lab.ssh(
            "cp-1",
            `for pid in ${Object.values(containers(lab)).join(" ")}; do stat -c %U /proc/$pid; done`,
        );
        expect(users.trim().split("\n")).toEqual(CONTROL_PLANE);
    }, 600_000);

    it("makes a Deployment of two available, and each replica answers", () => {
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        expect(addresses()).toHaveLength(2);
        expect(addresses().map((address) => page(address).includes("Welcome to nginx"))).toEqual([true, true]);
    }, 180_000);

    it("brings a container back that is killed, in its pod and with its address", async () => {
        const before = addresses();
        lab.ssh("cp-1", "kill -9 $(pgrep -o -x nginx)");
        await eventually(60, () => {
            const restarts = lab.kubectl(
                ...["get", "pods", "-l", "app=web"],
                ...["-o", "jsonpath={.items[*].status.containerStatuses[0].restartCount}"],
            );
            expect(restarts.trim().split(" ").sort()).toEqual(["0", "1"]);
        });
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
        expect(addresses()).toEqual(before);
        expect(before.map((address) => page(address).includes("Welcome to nginx"))).toEqual([true, true]);
    }, 120_000);

    it("replaces just the scheduler's pod when one of its flags changes", () => {
        const before = containers(lab);
        const { updated, created, replaced, deleted, seconds } = lab.up({ flags: { "kube-scheduler": { v: "1" } } });
        console.log(`a flag of a static pod: ${seconds.toFixed(1)} s`);
        expect({ updated, created, replaced, deleted }).toEqual({ updated: 1, created: 0, replaced: 0, deleted: 0 });
        const after = containers(lab);
        expect(changed(before, after)).toEqual(["kube-scheduler"]);
        const words = lab.ssh("cp-1", `tr '\\0' '\\n' </proc/${after["kube-scheduler"] ?? ""}/cmdline`);
        expect(words).toContain("--v=1\n");
    }, 120_000);

    it("refuses a flag that the scheduler doesn't know, says why, and puts the pod back that ran before", async () => {
        lab.configure({ flags: { "kube-scheduler": { v: "1", "no-such-flag": "1" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(
            /static pod kube-scheduler is not healthy.*unknown flag: --no-such-flag.*put back/s,
        );
        const health = "curl -skf --max-time 2 https://127.0.0.1:10259/healthz";
        await eventually(60, () => {
            expect(lab.ssh("cp-1", health)).toBe("ok");
        });
        expect(lab.up({ flags: { "kube-scheduler": { v: "1" } } }).updated).toBe(0);
        expect(field(lab, "deployment/web", "{.status.availableReplicas}")).toBe("2");
    }, 240_000);

    it("goes back to a step and on again: what comes after it is taken away, what was stored stays", async () => {
        lab.up({ stopAfter: "api-server" });
        expect(Object.keys(containers(lab)).filter((name) => containers(lab)[name] !== "")).toEqual(
            CONTROL_PLANE.slice(0, 2),
        );
        lab.kubectl("scale", "deployment", "web", "--replicas=3");
        lab.up({ stopAfter: undefined });
        await eventually(60, () => {
            expect(field(lab, "deployment/web", "{.status.availableReplicas}")).toBe("3");
        });
    }, 240_000);
});
