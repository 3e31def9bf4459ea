import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Lab, NO_CHANGES, story } from "../support/lab";
import type { Ran } from "../support/running";

const WORKER = ["--as=system:node:worker-1", "--as-group=system:nodes", "--as-group=system:authenticated"];
const SECRET_TEXT = "the-plaintext-of-the-secret";

/** What a pod says of itself where it runs nginx. */
const nginx = { containers: [{ name: "web", image: "nginx" }] };
const ofHost = { volumes: [{ name: "host", hostPath: { path: "/" } }] };

story("attacks on a cluster", () => {
    let lab: Lab;
    /** Of somebody who may edit one namespace. */
    let kubeconfig: string;
    let tenant: readonly string[];

    beforeAll(() => {
        lab = new Lab("attacks", "10.246.4.0/24");
        lab.configure({ workers: 1 });
        kubeconfig = join(lab.directory, "users/tenant.kubeconfig");
        tenant = ["--kubeconfig", kubeconfig];
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const attempt = (...args: string[]): Ran => lab.run("kubectl", args, 120);
    const create = (who: readonly string[], object: object): Ran => {
        const file = join(lab.directory, "attack.json");
        writeFileSync(file, JSON.stringify(object));
        return attempt(...who, "create", "-f", file);
    };
    const pod = (name: string, spec: object): object => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { ...nginx, ...spec },
    });
    /** The status that a URL answers a request with, from a node. */
    const answer = (node: string, words: string): string =>
        lab.ssh(node, `curl -sk --max-time 10 -o /dev/null -w '%{http_code}' ${words} || true`).trim();

    it("comes up, with a tenant who may edit one namespace", () => {
        lab.succeed("up", [], 900);
        lab.kubectl("create", "namespace", "tenants");
        const rights = ["--namespace", "tenants", "--role", "edit", "--expires", "1h"];
        expect(lab.succeed("kubeconfig", ["--user", "tenant", ...rights])).toContain(kubeconfig);
        expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
        expect(attempt(...tenant, "auth", "can-i", "create", "pods").stdout).toContain("yes");
        expect(attempt(...tenant, "auth", "can-i", "create", "pods", "-n", "default").stdout).toContain("no");
        expect(create(tenant, pod("web", {})).code).toBe(0);
        lab.kubectl("-n", "tenants", "wait", "--for=condition=Ready", "pod/web", "--timeout=90s");
    }, 900_000);

    it.each([
        ["the files of a node", ofHost, /hostPath volumes/],
        ["the network of a node", { hostNetwork: true }, /host namespaces \(hostNetwork=true\)/],
        ["the processes of a node", { hostPID: true }, /host namespaces \(hostPID=true\)/],
        ["the shared memory of a node", { hostIPC: true }, /host namespaces \(hostIPC=true\)/],
        [
            "a port of a node",
            { containers: [{ ...nginx.containers[0], ports: [{ containerPort: 80, hostPort: 80 }] }] },
            /hostPort/,
        ],
        [
            "every right",
            { containers: [{ ...nginx.containers[0], securityContext: { privileged: true } }] },
            /privileged \(container ".*" must not set securityContext\.privileged=true\)/,
        ],
        [
            "a capability",
            { containers: [{ ...nginx.containers[0], securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }] },
            /non-default capabilities/,
        ],
        ["no seccomp profile", { securityContext: { seccompProfile: { type: "Unconfined" } } }, /seccompProfile/],
    ])(
        "a tenant gets no pod with %s",
        (_, spec, reason) => {
            const { code, stderr } = create(tenant, pod("attack", spec));
            expect(code).not.toBe(0);
            expect(stderr).toMatch(reason);
        },
        60_000,
    );

    it("a service takes over no address that isn't its own", () => {
        const { code, stderr } = create(tenant, {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "attack" },
            spec: { ports: [{ port: 6443 }], externalIPs: ["10.246.4.10"] },
        });
        expect(code).not.toBe(0);
        expect(stderr).toContain("Use of external IPs is denied by admission control");
    }, 60_000);

    it("a pod has an hour's token, a seccomp profile and a limit of processes", () => {
        const token = lab.kubectl(
            ...["-n", "tenants", "exec", "web", "--", "cat"],
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
        );
        const [, payload = ""] = token.split(".");
        const { exp, iat } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { exp: number; iat: number };
        expect(exp - iat).toBeLessThan(2 * 3600);
        expect(lab.kubectl("-n", "tenants", "exec", "web", "--", "cat", "/proc/1/status")).toMatch(/^Seccomp:\s+2$/m);
        const limits = lab.ssh(
            "worker-1",
            "find /sys/fs/cgroup -path '*kubepods*' -name pids.max -exec cat {} + | sort -u",
        );
        expect(limits.split("\n")).toContain("4096");
    }, 60_000);

    it("the audit log has who read a secret, and neither its content nor a reader beside the API server", () => {
        expect(
            attempt(...tenant, "create", "secret", "generic", "password", `--from-literal=text=${SECRET_TEXT}`).code,
        ).toBe(0);
        expect(attempt(...tenant, "get", "secret", "password", "-o", "yaml").code).toBe(0);
        const log = "/var/log/kubernetes/kube-apiserver/audit.log";
        expect(
            lab
                .ssh("cp-1", `stat -c '%a %U' ${log} ${log.replace(/\/[^/]*$/, "")}`)
                .split("\n")
                .slice(0, 2),
        ).toEqual(["600 kube-apiserver", "700 kube-apiserver"]);
        const events = lab.ssh("cp-1", `grep '"resource":"secrets"' ${log} | grep tenants`);
        expect(events).toContain('"verb":"get"');
        expect(events).toContain('"username":"tenant"');
        const text = Buffer.from(SECRET_TEXT).toString("base64");
        expect(lab.ssh("cp-1", `grep -rlaE '${SECRET_TEXT}|${text}' /var/log/kubernetes /var/lib/etcd || true`)).toBe(
            "",
        );
    }, 60_000);

    it("passes every check that the CIS benchmark scores, or says why not", () => {
        const results = JSON.parse(lab.succeed("cis", ["--json"])) as { id: string; state: string; why?: string }[];
        expect(results.filter(({ state }) => state === "fail")).toEqual([]);
        const reasons = results.filter(({ state }) => state === "reason");
        expect(reasons.map(({ id, why }) => `${id}: ${why ?? ""}`)).toEqual([
            expect.stringMatching(/^1.1.16: the process isn't root: .*\(kube-scheduler\)/),
            expect.stringMatching(/^1.1.18: the process isn't root: .*\(kube-controller-manager\)/),
            expect.stringMatching(/^1.1.19: processes aren't root/),
            expect.stringMatching(/^4.2.6: kubenet's own rules/),
        ]);
        expect(results).toHaveLength(65);
    }, 60_000);

    it("nobody reads units' flags and the kubelet's configuration but root", () => {
        const modes = (node: string): string[] =>
            lab
                .ssh(node, "stat -c '%a %n' /etc/systemd/system/kube*.service /etc/kubernetes/kubelet/kubelet.yaml")
                .trim()
                .split("\n");
        const loose = [...modes("cp-1"), ...modes("worker-1")].filter((line) => !line.startsWith("600 "));
        expect(loose.filter((line) => !line.includes("kubenet"))).toEqual([]);
    }, 60_000);

    it.each([
        [
            "reads a secret that none of its pods has",
            ["get", "secret", "password", "-n", "tenants"],
            /no relationship found/,
        ],
        ["lists secrets", ["get", "secrets", "-A"], /forbidden/],
        ["labels another node", ["label", "node", "cp-1", "a=b"], /(is not allowed to modify|only its own) [Nn]ode/],
        [
            "gives itself a label that says what it may run",
            ["label", "node", "worker-1", "node-restriction.kubernetes.io/a=b"],
            /is not allowed to modify labels/,
        ],
        [
            "takes its own taint away",
            ["taint", "node", "worker-1", "a=b:NoSchedule"],
            /is not allowed to modify taints/,
        ],
        [
            "makes itself an administrator",
            ["create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", "--user=x"],
            /forbidden/,
        ],
        ["approves a certificate", ["certificate", "approve", "any"], /forbidden|NotFound|not found/],
    ])(
        "a node is refused when it %s",
        (_, words, reason) => {
            const { code, stderr } = attempt(...WORKER, ...words);
            expect(code).not.toBe(0);
            expect(stderr).toMatch(reason);
        },
        60_000,
    );

    it("a node deletes no pod of another node", () => {
        const name = lab.kubectl(
            ...["-n", "kube-system", "get", "pods", "-o"],
            "jsonpath={range .items[?(@.spec.nodeName!='worker-1')]}{.metadata.name}{'\\n'}{end}",
        );
        const [other = ""] = name.trim().split("\n");
        const [pods, namespace] = other === "" ? ["web", "tenants"] : [other, "kube-system"];
        const who = other === "" ? WORKER.map((word) => word.replace("worker-1", "cp-1")) : WORKER;
        const { code, stderr } = attempt(...who, "-n", namespace, "delete", "pod", pods);
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/can only delete pods with spec.nodeName set to itself/);
    }, 60_000);

    it("a node that floods the cluster with events is stopped, and keeps nobody else from theirs", () => {
        const event = JSON.stringify({
            apiVersion: "v1",
            kind: "Event",
            metadata: { generateName: "flood-", namespace: "default" },
            involvedObject: { kind: "Node", name: "worker-1" },
        });
        const pem = "/var/lib/kubelet/pki/kubelet-client-current.pem";
        const as = `--cacert /etc/kubernetes/kubelet/ca.crt --cert ${pem} --key ${pem} -H 'Content-Type: application/json'`;
        const url = "https://api.test-attacks:6443/api/v1/namespaces/default/events?n=[1-1500]";
        const statuses = lab.ssh(
            "worker-1",
            `curl -s --parallel --parallel-max 20 ${as} -d '${event}' -w '%{http_code}\\n' -o /dev/null '${url}' | sort | uniq -c`,
        );
        const count = (status: number): number => Number(new RegExp(`(\\d+) ${status}`).exec(statuses)?.[1] ?? 0);
        expect(count(201) + count(429)).toBe(1500);
        expect(count(201)).toBeGreaterThanOrEqual(450);
        expect(count(429)).toBeGreaterThan(300);
        const own = { ...(JSON.parse(event) as object), metadata: { name: "own", namespace: "default" } };
        expect(create([], own)).toMatchObject({ code: 0 });
        lab.kubectl("delete", "events", "--all", "--wait=false");
    }, 120_000);

    it("who has no credentials gets health and nothing else", () => {
        const api = "https://10.246.4.10:6443";
        expect(answer("worker-1", `${api}/livez`)).toBe("200");
        for (const path of ["/api", "/version", "/metrics", "/api/v1/namespaces/kube-system/secrets"]) {
            expect(`${path} ${answer("worker-1", api + path)}`).toBe(`${path} 401`);
        }
        expect(answer("cp-1", "https://10.246.4.21:10250/pods")).toBe("401");
        expect(answer("cp-1", "http://10.246.4.21:10255/pods")).toBe("000");
        expect(answer("worker-1", "https://10.246.4.11:2379/version")).toBe("000");
        expect(answer("worker-1", "https://10.246.4.11:2380/members")).toBe("000");
    }, 60_000);

    it("a kubelet's certificate opens neither etcd nor another kubelet", () => {
        const certificate = "$(ls /var/lib/kubelet/pki/kubelet-client-current.pem 2>/dev/null)";
        const own = "--cert /etc/kubernetes/kubelet/client.crt --key /etc/kubernetes/kubelet/client.key";
        const words = `$(pem=${certificate}; [ -n "$pem" ] && echo --cert $pem || echo ${own})`;
        expect(answer("worker-1", `${words} https://10.246.4.11:2379/version`)).toBe("000");
        expect(answer("worker-1", `${words} https://10.246.4.11:10250/pods`)).toBe("403");
    }, 60_000);

    it("a pod writes nothing to the lab's registry", () => {
        const upload = "https://10.246.4.1:5000/v2/library/nginx/blobs/uploads/";
        const word = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", upload];
        lab.kubectl("-n", "tenants", "run", "curl", "--image=curlimages/curl", "--restart=Never", "--", "sleep", "300");
        lab.kubectl("-n", "tenants", "wait", "--for=condition=Ready", "pod/curl", "--timeout=90s");
        expect(lab.kubectl("-n", "tenants", "exec", "curl", "--", ...word)).toBe("405");
    }, 120_000);

    it("shows who was refused what", () => {
        const text = lab.succeed("audit", ["--refused", "--last", "200"]);
        expect(text).toMatch(/ tenant +create pods\/attack +namespace tenants, from \S+ +403 refused\n/);
        expect(text).toMatch(/system:node:worker-1 \(kubelab:admin as that user\) +list secrets +cluster, from/);
        const own = lab.succeed("audit", ["--user", "tenant", "--last", "200"]);
        expect(own).toMatch(/ tenant +get secrets\/password +namespace tenants, from \S+ +200 done\n/);
        expect(own).not.toContain(SECRET_TEXT);
    }, 60_000);

    it("a tenant's rights end when they are taken back, also for who has the same name later", () => {
        expect(lab.succeed("kubeconfig", ["--list"])).toMatch(
            /^tenant +[0-9a-f]{8} +- +edit in tenants +\S+ \S+ UTC +valid$/m,
        );
        const former = join(lab.directory, "former");
        writeFileSync(former, readFileSync(kubeconfig), { mode: 0o600 });
        expect(lab.succeed("kubeconfig", ["--revoke", "tenant"])).toMatch(/^revoked \S+ of tenant: edit in tenants$/m);
        lab.succeed("kubeconfig", ["--user", "tenant", "-n", "tenants", "--role", "view"]);
        const { code, stderr } = attempt("--kubeconfig", former, "get", "pods");
        expect(code).not.toBe(0);
        expect(stderr).toContain('User "tenant" cannot list resource "pods"');
        expect(attempt(...tenant, "get", "pods").stdout).toContain("web");
        const asRoot = lab.run("kubeconfig", ["--user", "x", "--group", "system:masters"]);
        expect(asRoot.code).not.toBe(0);
        expect(asRoot.stderr).toContain("is one of the cluster's own");
    }, 60_000);

    it("goes into one's own kubeconfig when that is asked for", () => {
        const own = join(lab.directory, "own/config");
        const { stdout } = lab.run("kubeconfig", ["--merge"], 60, { KUBECONFIG: own });
        expect(stdout).toContain("added the context test-attacks to");
        expect(attempt("--kubeconfig", own, "--context", "test-attacks", "get", "nodes").stdout).toContain("worker-1");
    }, 60_000);

    describe("the key of Secrets in etcd", () => {
        const etcdctl = "etcdctl --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key";
        /** How often each key encrypts a Secret. */
        const keysInEtcd = (): string[] =>
            lab
                .ssh(
                    "cp-1",
                    `${etcdctl} get --prefix /registry/secrets/ --print-value-only | grep -ao 'k8s:enc:secretbox:v1:[^:]*:' | sort -u`,
                )
                .trim()
                .split("\n");
        const password = (): string =>
            Buffer.from(
                lab.kubectl("-n", "tenants", "get", "secret", "password", "-o", "jsonpath={.data.text}"),
                "base64",
            ).toString();

        it("isn't dropped while Secrets need it", () => {
            expect(keysInEtcd()).toEqual(["k8s:enc:secretbox:v1:key-1:"]);
            const { code, stdout, stderr } = lab.run("up", ["--config", 'kubelab:encryptionKeys=["key-2"]']);
            expect(code).not.toBe(0);
            expect(`${stdout}${stderr}`).toContain("lacks key-1, which the Secrets in etcd are encrypted with");
        }, 300_000);

        it("is replaced by one that all Secrets are written again with", () => {
            lab.up({ encryptionKeys: ["key-2", "key-1"] });
            expect(keysInEtcd()).toEqual(["k8s:enc:secretbox:v1:key-2:"]);
            expect(password()).toBe(SECRET_TEXT);
        }, 300_000);

        it("goes then, and the Secrets stay readable", () => {
            lab.up({ encryptionKeys: ["key-2"] });
            expect(lab.ssh("cp-1", "grep -c 'name: key-' /etc/kubernetes/kube-apiserver/encryption.yaml").trim()).toBe(
                "1",
            );
            expect(password()).toBe(SECRET_TEXT);
            expect(lab.run("status").code).toBe(0);
            expect(lab.upChanges()).toEqual(NO_CHANGES);
        }, 300_000);
    });
});
