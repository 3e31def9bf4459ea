import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { eventually, Lab, story } from "../support/lab";

story("a backup of a cluster", () => {
    const directory = temporaryDirectory();
    const file = join(directory.path, "cluster.backup");
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("backup", "10.247.82.0/24");
        lab.configure({ workers: 1 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
        directory.remove();
    }, 120_000);

    const uid = (...object: string[]): string => lab.kubectl("get", ...object, "-o", "jsonpath={.metadata.uid}");
    /** What the API server says to a request with a token of a pod's. */
    const asks = (token: string): string =>
        lab.ssh(
            "cp-1",
            `curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/kube-apiserver/ca.crt -H 'Authorization: Bearer ${token}' https://127.0.0.1:6443/api/v1/namespaces/shop/configmaps/price`,
        );
    const answers = (): Promise<string> =>
        eventually(90, () => {
            const address = lab.kubectl("-n", "shop", "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
            const text = lab.ssh("cp-1", `curl -s --max-time 2 http://${address}/hostname`);
            expect(text).toMatch(/^web-/);
            return text;
        });
    let before: Readonly<Record<string, string>>;
    let token: string;
    let kubeconfig: string;
    const uids = (): Record<string, string> => ({
        namespace: uid("namespace", "shop"),
        configMap: uid("-n", "shop", "configmap", "price"),
        secret: uid("-n", "shop", "secret", "till"),
        deployment: uid("-n", "shop", "deployment", "web"),
        node: uid("node", "worker-1"),
    });

    it("is one file that only its owner reads, and that shows nothing without the passphrase", async () => {
        lab.up();
        lab.kubectl("create", "namespace", "shop");
        lab.kubectl("-n", "shop", "create", "configmap", "price", "--from-literal=coffee=3");
        lab.kubectl("-n", "shop", "create", "secret", "generic", "till", "--from-literal=code=swordfish");
        lab.kubectl(
            "-n",
            "shop",
            "create",
            "deployment",
            "web",
            "--image=registry.k8s.io/e2e-test-images/agnhost:2.63.0",
            "--replicas=2",
            "--",
            "/agnhost",
            "netexec",
            "--http-port=80",
        );
        lab.kubectl("-n", "shop", "expose", "deployment", "web", "--port=80");
        lab.kubectl("-n", "shop", "create", "role", "reader", "--verb=get", "--resource=configmaps");
        lab.kubectl("-n", "shop", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=shop:default");
        token = lab.kubectl("-n", "shop", "create", "token", "default", "--duration=2h");
        await answers();
        before = uids();
        kubeconfig = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        expect(lab.succeed("backup", [file])).toMatch(/keys of etcd at revision \d+/);
        expect(lab.run("backup", [file])).toMatchObject({
            code: 1,
            stderr: expect.stringContaining("a backup overwrites nothing") as string,
        });
        const bytes = readFileSync(file, "latin1");
        expect(bytes).toMatch(/^kubelab backup 1\n/);
        expect(bytes).not.toMatch(/swordfish|PRIVATE KEY|worker-1/);
    }, 900_000);

    it("is refused when it is damaged, or of another passphrase, before anything changes", () => {
        const bytes = readFileSync(file);
        const revision = lab.kubectl("get", "namespace", "shop", "-o", "jsonpath={.metadata.resourceVersion}");
        for (const [name, content] of Object.entries({
            cut: bytes.subarray(0, -1000),
            changed: Buffer.from(bytes.map((byte, index) => (index === 5000 ? byte ^ 1 : byte))),
            foreign: Buffer.from("PK and so on"),
        })) {
            const damaged = join(directory.path, name);
            writeFileSync(damaged, content);
            const { code, stderr } = lab.run("restore", [damaged]);
            expect({ name, code, stderr }).toMatchObject({ name, code: 1 });
            expect(stderr).toMatch(/damaged.*Nothing was changed/s);
        }
        const other = lab.run("restore", [file], 60, { PULUMI_CONFIG_PASSPHRASE: "another" });
        expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("another passphrase") as string });
        expect(lab.kubectl("get", "namespace", "shop", "-o", "jsonpath={.metadata.resourceVersion}")).toBe(revision);
    }, 120_000);

    it("brings every object back with its UID in the same lab; watchers notice, and tokens are as they were", async () => {
        lab.kubectl("delete", "namespace", "shop");
        lab.kubectl("create", "configmap", "since");
        const seen = lab.kubectl("get", "configmap", "since", "-o", "jsonpath={.metadata.resourceVersion}");
        lab.succeed("restore", [file], 900);
        expect(uids()).toEqual(before);
        expect(lab.kubectl("get", "configmaps")).not.toContain("since");
        expect(lab.kubectl("-n", "shop", "get", "secret", "till", "-o", "jsonpath={.data.code}")).toBe("c3dvcmRmaXNo");
        expect(asks(token)).toBe("200");
        await answers();
        // Whoever watches from what it saw before is told to look again.
        const watch = `/api/v1/configmaps?watch=1&timeoutSeconds=5&resourceVersion=${seen}`;
        expect(lab.kubectl("get", "--raw", watch)).toContain('"code":410');
        expect(lab.run("status").code).toBe(0);
        expect(lab.upChanges()).toMatchObject({ created: 0, replaced: 0, deleted: 0 });
    }, 900_000);

    it("is taken by a timer of the control plane, which keeps the newest ones; one of them comes back", async () => {
        lab.up({ backup: { every: "1m", keep: 2 } });
        const kept = (): string[] => lab.ssh("cp-1", "ls /var/lib/etcd-backup/snapshots").trim().split("\n");
        const [first = ""] = kept();
        await eventually(200, () => {
            expect(kept()).toHaveLength(2);
            expect(kept()).not.toContain(first);
        });
        // The next ones are taken by hand, as the timer takes them.
        lab.up({ backup: { every: "1d", keep: 2 } });
        lab.kubectl("create", "configmap", "wanted");
        lab.ssh("cp-1", "systemctl start etcd-backup");
        const name = kept().at(-1) ?? "";
        lab.kubectl("delete", "configmap", "wanted");
        const modes = lab.ssh("cp-1", `cd /var/lib/etcd-backup && stat -c '%a %U' snapshots snapshots/${name}`);
        expect(modes).toBe("700 etcd\n600 etcd\n");
        expect(lab.run("restore", ["cp-1:19990101T000000Z"])).toMatchObject({
            code: 1,
            stderr: expect.stringContaining(name) as string,
        });
        lab.succeed("restore", [`cp-1:${name}`], 900);
        expect(lab.kubectl("get", "configmap", "wanted", "-o", "name")).toBe("configmap/wanted\n");
        expect(uids()).toEqual(before);
    }, 900_000);

    it("that fails is drift until it works again; without the key the snapshots stay", () => {
        expect(lab.run("status")).toMatchObject({
            code: 0,
            stdout: expect.stringMatching(/last snapshot of etcd .* 2 kept/) as string,
        });
        lab.ssh(
            "cp-1",
            "mv /etc/etcd/client.crt /etc/etcd/away; systemctl start etcd-backup || mv /etc/etcd/away /etc/etcd/client.crt",
        );
        const { code, stdout } = lab.run("status");
        expect(code).toBe(1);
        expect(stdout).toMatch(/drift: etcd-backup: the last run failed: .+/);
        lab.succeed("repair", ["cp-1"], 300);
        expect(lab.run("status").code).toBe(0);
        lab.up({ backup: undefined });
        const left =
            "ls /etc/systemd/system /usr/local/lib/kubelab /var/lib/etcd-backup /var/lib/etcd-backup/snapshots";
        const files = lab.ssh("cp-1", left);
        expect(files.match(/^\d{8}T\d{6}Z\.db$/gm)).toHaveLength(2);
        expect(files).not.toMatch(/^etcd-backup|^last/m);
        expect(lab.run("status").code).toBe(0);
    }, 900_000);

    it("makes a new lab of a cluster that is gone, with its authorities, tokens and kubeconfigs", async () => {
        lab.down();
        lab.succeed("restore", [file], 900);
        expect(uids()).toEqual(before);
        expect(asks(token)).toBe("200");
        expect(readFileSync(join(lab.directory, "kubeconfig"), "utf8")).toBe(kubeconfig);
        await answers();
        expect(lab.run("status").code).toBe(0);
        lab.down();
    }, 900_000);
});
