import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { HostBefore } from "../support/host-state";
import { startTimes } from "../support/start-times";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

function filesBelow(directory: string): string[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
}

story("a kubenet cluster of three local machines", () => {
    let lab: Lab;
    let host: HostBefore;

    beforeAll(() => {
        lab = new Lab("kubenet", "10.241.0.0/24");
        host = new HostBefore(/test-kubenet|10\.241\.0\./);
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("comes up from nothing: three nodes Ready", () => {
        const { created, seconds, phases } = lab.up();
        console.log(`up from no machines: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`);
        expect(created).toBeGreaterThan(50);
        const nodes = lab.kubectl("get", "nodes", "--no-headers").trim().split("\n");
        expect(nodes).toHaveLength(3);
        for (const line of nodes) {
            expect(line).toMatch(/^(cp-1|worker-1|worker-2) +Ready /);
        }
    }, 900_000);

    it("puts out nodes, API server and SSH commands, and keeps its kubeconfig and state to itself", () => {
        const { nodes, apiServer, sshCommands } = lab.outputs();
        expect(nodes.map(({ name, podCidr }) => `${name} ${podCidr}`)).toEqual([
            "cp-1 10.99.255.0/24",
            "worker-1 10.99.1.0/24",
            "worker-2 10.99.2.0/24",
        ]);
        expect(apiServer).toBe("https://10.241.0.10:6443");
        expect(Object.keys(sshCommands)).toEqual(["cp-1", "worker-1", "worker-2"]);
        for (const file of filesBelow(lab.directory)) {
            expect(`${file} ${(statSync(file).mode & 0o077).toString(8)}`).toBe(`${file} 0`);
        }
    });

    it("keeps no secret in the clear but the two files that are for the person", () => {
        const secret = /-----BEGIN [A-Z ]*PRIVATE KEY|client-key-data/;
        const withSecrets = filesBelow(lab.directory).filter((file) => secret.test(readFileSync(file, "utf8")));
        expect(withSecrets.map((file) => file.slice(lab.directory.length + 1)).sort()).toEqual([
            "kubeconfig",
            "ssh/id_ed25519",
        ]);
    });

    it("does what it is for: verify passes every check", () => {
        const { code, stdout, stderr } = lab.run("verify");
        expect(`${stdout}${code === 0 ? "" : stderr}`).toMatch(/all \d+ checks passed/);
        expect(stdout).toMatch(/✓ NetworkPolicy isn't enforced by kubenet .* still answered on one node, across nodes/);
    }, 300_000);

    it("shows every unit active in its status", () => {
        const text = lab.succeed("status");
        for (const unit of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubenet"]) {
            expect(text).toMatch(new RegExp(`${unit} +active`));
        }
        expect(text.match(/kubelet +active/g)).toHaveLength(3);
    });

    it("answers nobody without credentials but health checks", () => {
        const url = lab.outputs().apiServer;
        const codes = lab.ssh(
            "worker-1",
            `for path in readyz livez version api/v1/namespaces; do curl -sk -o /dev/null -w '%{http_code} ' ${url}/$path; done`,
        );
        expect(codes.trim()).toBe("200 200 401 401");
        const kubelet = lab.ssh(
            "cp-1",
            "curl -sk -o /dev/null -w '%{http_code}' https://worker-1-address:10250/pods || true".replace(
                "worker-1-address",
                "10.241.0.21",
            ),
        );
        expect(kubelet).toBe("401");
        const etcd = lab.ssh(
            "cp-1",
            "curl -sk https://10.241.0.11:2379/health -o /dev/null && echo open || echo refused",
        );
        expect(etcd.trim()).toBe("refused");
    });

    it("is not touched by a second up", () => {
        const before = startTimes(lab, "cp-1");
        const { created, updated, replaced, deleted, seconds } = lab.up();
        console.log(`up without changes: ${seconds.toFixed(1)} s`);
        expect({ created, updated, replaced, deleted }).toEqual(NO_CHANGES);
        expect(startTimes(lab, "cp-1")).toEqual(before);
    }, 120_000);

    it("gets one more worker without touching the others' services", () => {
        const before = startTimes(lab, "worker-1");
        const { seconds } = lab.up({ workers: 3 });
        console.log(`one more worker: ${seconds.toFixed(1)} s`);
        expect(lab.kubectl("get", "node", "worker-3", "--no-headers")).toMatch(/ Ready /);
        expect(lab.ssh("worker-1", "ip route show proto 75")).toContain("10.99.3.0/24 via 10.241.0.23");
        expect(startTimes(lab, "worker-1")).toEqual(before);
    }, 300_000);

    it("loses two workers: drained, gone from the API, their routes and machines too", () => {
        lab.kubectl("create", "deployment", "survivor", "--image=nginx", "--replicas=4");
        lab.kubectl("rollout", "status", "deployment/survivor", "--timeout=120s");
        const { seconds } = lab.up({ workers: 1 });
        console.log(`two workers fewer: ${seconds.toFixed(1)} s`);
        expect(lab.kubectl("get", "nodes", "-o", "name").trim().split("\n")).toEqual(["node/cp-1", "node/worker-1"]);
        lab.kubectl("rollout", "status", "deployment/survivor", "--timeout=120s");
        const where = lab.kubectl("get", "pods", "-l", "app=survivor", "-o", "jsonpath={.items[*].spec.nodeName}");
        expect(new Set(where.trim().split(" "))).toEqual(new Set(["worker-1"]));
        expect(lab.ssh("cp-1", "ip route show proto 75").trim()).toMatch(
            /^10\.99\.1\.0\/24 via 10\.241\.0\.21 [^\n]*$/,
        );
        lab.kubectl("delete", "deployment", "survivor");
    }, 300_000);

    it("restarts the API server alone when one of its flags changes", () => {
        const before = startTimes(lab, "cp-1");
        const { updated, created, replaced, deleted } = lab.up({ flags: { "kube-apiserver": { v: "1" } } });
        expect({ updated, created, replaced, deleted }).toEqual({ updated: 1, created: 0, replaced: 0, deleted: 0 });
        const after = startTimes(lab, "cp-1");
        const changed = Object.keys(after).filter((unit) => after[unit] !== before[unit]);
        expect(changed).toEqual(["kube-apiserver.service"]);
        expect(lab.ssh("cp-1", "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID kube-apiserver)/cmdline")).toContain(
            "--v=1\n",
        );
    }, 120_000);

    it("sees drift in its status, and repair puts it back", () => {
        lab.ssh(
            "worker-1",
            "systemctl stop kube-proxy; ip route del 10.99.255.0/24; echo 'maxPods: 3' >>/etc/kubernetes/kubelet/kubelet.yaml",
        );
        const drifted = lab.run("status");
        expect(drifted.code).not.toBe(0);
        for (const what of ["kube-proxy.service: inactive", "route 10.99.255.0/24", "kubelet.yaml: edited"]) {
            expect(drifted.stdout).toContain(what);
        }
        const repaired = lab.succeed("repair");
        for (const what of ["kube-proxy.service", "route 10.99.255.0/24", "kubelet.yaml"]) {
            expect(repaired).toMatch(new RegExp(`^put back: worker-1: .*${what}`, "m"));
        }
        expect(lab.run("status").code).toBe(0);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 300_000);

    it("refuses a pod CIDR that can't change on a live cluster, before anything is touched", () => {
        const before = startTimes(lab, "cp-1");
        lab.configure({ podCidr: "10.77.0.0/16" });
        const { code, stderr, stdout } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stderr + stdout).toMatch(/kubelab:podCidr.*10\.99\.0\.0\/16/s);
        expect(startTimes(lab, "cp-1")).toEqual(before);
        lab.configure({ podCidr: undefined });
    }, 120_000);

    it("comes back by itself when every machine reboots, with the web service answering", async () => {
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        lab.kubectl("expose", "deployment", "web", "--port=80");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const address = lab.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").trim();
        const nodes = lab.outputs().nodes.map(({ name }) => name);
        const boots = nodes.map((node) =>
            lab.ssh(node, "cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic"),
        );
        for (const node of nodes) {
            lab.run("ssh", [node, "--", "systemctl reboot"], 30);
        }
        const start = Date.now();
        for (const [index, node] of nodes.entries()) {
            await eventually(120, () => {
                const boot = lab.ssh(
                    node,
                    "cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic",
                );
                if (boot === boots[index]) {
                    throw new Error(`${node} has not rebooted yet`);
                }
            });
        }
        for (const node of nodes) {
            await eventually(180, () =>
                expect(lab.ssh(node, `curl -sS --max-time 2 http://${address}/`)).toContain("Welcome to nginx"),
            );
        }
        console.log(`every node answers ${((Date.now() - start) / 1000).toFixed(1)} s after the reboots`);
        await eventually(60, () => expect(lab.kubectl("get", "nodes", "--no-headers")).not.toMatch(/NotReady/));
        await eventually(60, () => lab.succeed("status"));
        lab.kubectl("delete", "service,deployment", "web");
    }, 600_000);

    it("goes down and leaves nothing of it on this host", async () => {
        const { seconds } = lab.down();
        console.log(`down: ${seconds.toFixed(1)} s`);
        expect(() => statSync("/var/lib/kubelab/test-kubenet")).toThrow();
        expect(() => statSync("/run/kubelab/test-kubenet")).toThrow();
        expect(lab.run("kubectl", ["get", "nodes"]).stderr).toContain("isn't up");
        await host.expectAsBefore();
    }, 120_000);
});
