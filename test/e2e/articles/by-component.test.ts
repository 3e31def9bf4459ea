import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { article, articleLab, field, podOn } from "../../support/article";
import { eventually, type Lab } from "../../support/lab";

article("Kubernetes By Component", () => {
    let lab: Lab;
    let directory: string;

    beforeAll(() => {
        lab = articleLab("by-component", "10.234.4.0/24");
        directory = mkdtempSync(join(tmpdir(), "kubelab-by-component-"));
    });
    afterAll(() => {
        rmSync(directory, { recursive: true, force: true });
        lab.remove();
    }, 120_000);

    /** curl with the administrator's certificate, as the article's page shows it. */
    function curl(path: string, ...options: string[]): unknown {
        const file = (name: string): string => join(directory, name);
        const { status, stdout, stderr } = spawnSync(
            "curl",
            [
                ...["-sS", "--fail-with-body", "--max-time", "10", "--cacert", file("ca.crt")],
                ...["--cert", file("admin.crt"), "--key", file("admin.key")],
                ...options,
                `${lab.outputs().apiServer}${path}`,
            ],
            { encoding: "utf8" },
        );
        expect({ status, stderr, stdout: status === 0 ? "" : stdout }).toEqual({ status: 0, stderr: "", stdout: "" });
        return JSON.parse(stdout);
    }

    const post = (pod: object): unknown =>
        curl("/api/v1/namespaces/default/pods", "-H", "Content-Type: application/json", "-d", JSON.stringify(pod));

    it("runs etcd, the API server and a kubelet, and nothing else of Kubernetes", () => {
        const { seconds } = lab.up();
        console.log(`one node, etcd, API server and kubelet: ${seconds.toFixed(1)} s`);
        const units = [
            ...["etcd", "kube-apiserver", "containerd", "kubelet"],
            ...["kube-scheduler", "kube-controller-manager", "kube-proxy"],
        ];
        const states = lab.ssh("cp-1", `systemctl is-active ${units.join(" ")} || true`);
        expect(states.trim().split("\n")).toEqual([
            ...["active", "active", "active", "active"],
            ...["inactive", "inactive", "inactive"],
        ]);
        const config = lab.kubectl("config", "view", "--raw", "-o", "json");
        const { clusters, users } = JSON.parse(config) as {
            readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
            readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
        };
        const keep = (name: string, base64 = ""): void => {
            writeFileSync(join(directory, name), Buffer.from(base64, "base64"), { mode: 0o600 });
        };
        keep("ca.crt", clusters[0].cluster["certificate-authority-data"]);
        keep("admin.crt", users[0].user["client-certificate-data"]);
        keep("admin.key", users[0].user["client-key-data"]);
    }, 600_000);

    it("keeps a posted pod for ever where the pod names no node", () => {
        post(podOn(undefined, "waits", "nginx"));
        expect(field(lab, "pod/waits", "{.status.phase} {.spec.nodeName}")).toBe("Pending");
    });

    it("runs posted pods that name their node: seen by get and describe, and each answers", () => {
        post(podOn("cp-1", "nginx", "nginx"));
        post(podOn("cp-1", "client", "curlimages/curl", ["sleep", "3600"]));
        lab.kubectl("wait", "pod/nginx", "pod/client", "--for=condition=Ready", "--timeout=90s");
        expect(lab.kubectl("get", "pods")).toMatch(/^nginx +1\/1 +Running /m);
        const description = lab.kubectl("describe", "pod", "nginx");
        expect(description).toMatch(/Node: +cp-1\//);
        expect(description).toMatch(/Normal +Started .* kubelet/);
        const address = field(lab, "pod/nginx", "{.status.podIP}");
        const page = lab.kubectl("exec", "client", "--", "curl", "-sS", "--max-time", "5", `http://${address}`);
        expect(page).toContain("Welcome to nginx");
    }, 180_000);

    it("forgets pods that are deleted: nothing is left of them, in the API and on the node", async () => {
        for (const name of ["waits", "nginx", "client"]) {
            curl(`/api/v1/namespaces/default/pods/${name}`, "-X", "DELETE");
        }
        // The kubelet collects what ended once a minute.
        await eventually(150, () => {
            expect((curl("/api/v1/namespaces/default/pods") as { readonly items: unknown[] }).items).toEqual([]);
            expect(lab.ssh("cp-1", "ctr -n k8s.io containers ls -q").trim()).toBe("");
            expect(lab.ssh("cp-1", "ls /var/lib/cni/networks/bridge | grep ^10 || true").trim()).toBe("");
        });
    }, 180_000);

    it("evicts a pod from a node that runs out of disk, and says so; takes pods again when there is room", async () => {
        // The threshold lies a gigabyte and a half below what is free, and a file takes three.
        const free = Number(lab.ssh("cp-1", "df --output=avail -k /var/lib/kubelet | tail -1"));
        const threshold = `nodefs.available<${free - 1536 * 1024}Ki`;
        lab.up({ flags: { kubelet: { "eviction-hard": threshold, "eviction-pressure-transition-period": "2s" } } });
        // It dies of SIGKILL: a process that ends well counts as done, and the kubelet forgets why it was ended.
        post(podOn("cp-1", "victim", "curlimages/curl", ["sleep", "3600"]));
        lab.kubectl("wait", "pod/victim", "--for=condition=Ready", "--timeout=90s");
        lab.ssh("cp-1", "fallocate -l 3G /var/lib/kubelet/filler");
        await eventually(90, () => {
            expect(field(lab, "pod/victim", "{.status.phase} {.status.reason}")).toBe("Failed Evicted");
            expect(field(lab, "node/cp-1", "{.status.conditions[?(@.type=='DiskPressure')].status}")).toBe("True");
        });
        expect(field(lab, "pod/victim", "{.status.message}")).toMatch(/low on resource: ephemeral-storage/);
        post(podOn("cp-1", "refused", "nginx"));
        await eventually(30, () => {
            expect(field(lab, "pod/refused", "{.status.reason}: {.status.message}")).toMatch(/Evicted.*DiskPressure/);
        });
        lab.ssh("cp-1", "rm /var/lib/kubelet/filler");
        await eventually(60, () => {
            expect(field(lab, "node/cp-1", "{.status.conditions[?(@.type=='DiskPressure')].status}")).toBe("False");
        });
        post(podOn("cp-1", "welcome", "nginx"));
        lab.kubectl("wait", "pod/welcome", "--for=condition=Ready", "--timeout=90s");
    }, 360_000);
});
