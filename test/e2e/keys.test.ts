import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formsOfKey } from "../support/known-secrets";
import { startTimes } from "../support/start-times";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const NODES = ["cp-1", "worker-1"] as const;
/** Keys that the program makes, since more than one machine needs them: docs/security.md. */
const MADE_HERE = ["/etc/kubernetes/kube-controller-manager/ca.key", "service-accounts.key"];

/** Of the keys on a machine: by path, its text, owner and mode. */
interface KeyOnMachine {
    readonly node: string;
    readonly path: string;
    readonly owner: string;
    readonly mode: string;
    readonly text: string;
}

function keysOn(lab: Lab, node: string): KeyOnMachine[] {
    const text = lab.ssh(
        node,
        "find /etc /var/lib/kubelab /var/lib/kubelet/pki /usr/local /root /home -xdev -type f '(' -name '*.key' -o -path '/var/lib/kubelet/pki/*.pem' ')' | sort | while read -r file; do stat -c '@ %n %U %a' $file; sed -n '/BEGIN.*PRIVATE/,/END.*PRIVATE/p' $file; done",
    );
    return [...text.matchAll(/^@ (\S+) (\S+) (\S+)\n([^@]*)/gm)].map(
        ([, path = "", owner = "", mode = "", pem = ""]) => ({ node, path, owner, mode, text: pem }),
    );
}

function textsBelow(directory: string): (readonly [where: string, text: string])[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => [file, readFileSync(file, "latin1")] as const);
}

story("the keys of a cluster", () => {
    let lab: Lab;
    let printed = "";

    beforeAll(() => {
        lab = new Lab("keys", "10.246.0.0/24");
        lab.configure({ workers: 1 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const fingerprints = (node: string): Record<string, string> =>
        Object.fromEntries(
            keysOn(lab, node).map(({ path, text }) => [path, createHash("sha256").update(text).digest("hex")]),
        );
    const isMadeHere = ({ path }: KeyOnMachine): boolean => MADE_HERE.some((end) => path.endsWith(end));

    it("comes up with keys that each machine has made", async () => {
        const { code, stdout, stderr } = lab.run("up", ["--verbose"], 900);
        printed = `${stdout}${stderr}`;
        expect(code === 0 ? "" : printed).toBe("");
        const ofKubelets = ({ path }: KeyOnMachine): boolean => path.startsWith("/var/lib/kubelet/pki/");
        // A kubelet asks for the certificate of its port a second after it has joined.
        const keys = await eventually(20, () => {
            const all = NODES.flatMap((node) => keysOn(lab, node)).filter((key) => !isMadeHere(key));
            expect(all.filter(ofKubelets)).toHaveLength(2 + 2);
            return all;
        });
        expect(keys.filter(ofKubelets).map(({ owner, mode }) => `${owner} ${mode}`)).toEqual(
            Array.from({ length: 4 }, () => "root 600"),
        );
        expect(keys.filter(({ path }) => path.startsWith("/var/lib/kubelab/keys/"))).toHaveLength(14 + 1);
        const copies = keys.filter(({ path }) => path.startsWith("/etc/"));
        expect(copies).toHaveLength(14 + 1);
        const texts = new Set(keys.map(({ text }) => text));
        // Each copy is one of the machine's own, and no two machines or processes have the same.
        expect(texts.size).toBe(14 + 1 + 4);
        const users = new Set(
            copies.map(({ path, owner, mode }) => `${path.split("/").slice(0, -1).join("/")} ${owner} ${mode}`),
        );
        expect([...users].sort()).toEqual([
            "/etc/etcd etcd 400",
            "/etc/kubernetes root 400",
            ...["kube-apiserver", "kube-controller-manager"].map((name) => `/etc/kubernetes/${name} ${name} 400`),
            "/etc/kubernetes/kube-proxy root 400",
            "/etc/kubernetes/kube-scheduler kube-scheduler 400",
            "/etc/kubernetes/node-approver node-approver 400",
        ]);
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(2);
    }, 900_000);

    it("has none of them in the state, what was printed, a step, a log, an event or a file of this host", () => {
        const state = lab.succeed("pulumi", ["stack", "export", "--show-secrets"]);
        const onMachines =
            "journalctl --no-pager -o cat; ps axww -o args; ps axwwe -o args; cat /var/lib/kubelab/record/* /proc/[0-9]*/environ 2>/dev/null; true";
        const texts: readonly (readonly [where: string, text: string])[] = [
            ["the state, decrypted", state],
            ["what was printed", printed],
            ["events", lab.kubectl("get", "events", "-A", "-o", "yaml")],
            ...NODES.map((node) => [`logs, processes and records of ${node}`, lab.ssh(node, onMachines)] as const),
            ...textsBelow(lab.directory),
            ...textsBelow(join(lab.directory, "../pulumi")),
            ...textsBelow(join("/run/kubelab", lab.stack)),
        ];
        expect(texts.length).toBeGreaterThan(10);
        const all = NODES.flatMap((node) => keysOn(lab, node));
        const found = (key: KeyOnMachine): string[] => {
            const forms = formsOfKey(key.text);
            expect(forms.length).toBeGreaterThan(5);
            const escaped = forms.map((form) => JSON.stringify(form).slice(1, -1));
            return texts
                .filter(([, text]) => [...forms, ...escaped].some((form) => text.includes(form)))
                .map(([where]) => `${where}: ${key.path} of ${key.node}`);
        };
        expect(all.filter((key) => !isMadeHere(key)).flatMap(found)).toEqual([]);
        // The search finds what is there: the authority's key is in the state.
        const authority = all.filter(({ path }) => path.endsWith("/ca.key"));
        expect(authority.flatMap(found)).toEqual([
            "the state, decrypted: /etc/kubernetes/kube-controller-manager/ca.key of cp-1",
        ]);
    }, 180_000);

    it("keeps them when nothing changes, and puts a process's copy back that is gone", () => {
        const before = NODES.map(fingerprints);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        lab.ssh("worker-1", "rm /etc/kubernetes/kube-proxy/client.key");
        lab.ssh("cp-1", "echo x >/etc/kubernetes/kube-scheduler/client.key");
        expect(lab.run("status").stdout).toContain("/etc/kubernetes/kube-proxy/client.key: gone");
        lab.succeed("repair", ["worker-1", "cp-1"]);
        expect(NODES.map(fingerprints)).toEqual(before);
        expect(lab.run("status").code).toBe(0);
    }, 300_000);

    it("come with certificates that are listed, and signed anew by name, for the same keys", () => {
        const list = (): { readonly name: string; readonly daysLeft: number; readonly notAfter: string }[] =>
            JSON.parse(lab.succeed("certs", ["--json"])) as ReturnType<typeof list>;
        const before = list();
        const names = before.map(({ name }) => name);
        const some = ["admin", "cp-1-etcd-peer", "cp-1-kube-apiserver", "kubernetes-ca", "worker-1-kube-proxy"];
        expect(names).toEqual(expect.arrayContaining([...some, "cp-1-kubelet-client", "worker-1-kubelet-server"]));
        expect(before.filter(({ daysLeft }) => daysLeft < 6)).toEqual([]);
        const keys = NODES.map(fingerprints);
        const started = startTimes(lab, "cp-1");
        lab.succeed("certs", ["renew", "cp-1-kube-scheduler"]);
        const renewed = list().filter(
            ({ name, notAfter }) => before.find((each) => each.name === name)?.notAfter !== notAfter,
        );
        expect(renewed.map(({ name }) => name)).toEqual(["cp-1-kube-scheduler"]);
        expect(NODES.map(fingerprints)).toEqual(keys);
        const now = startTimes(lab, "cp-1");
        expect(Object.keys(now).filter((unit) => now[unit] !== started[unit])).toEqual(["kube-scheduler.service"]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        const refused = lab.run("certs", ["renew", "worker-1-kubelet-client"]);
        expect({ code: refused.code, stderr: refused.stderr }).toEqual({
            code: 1,
            stderr: expect.stringContaining("renewed by its kubelet") as string,
        });
    }, 300_000);

    it("signs nothing for a machine that asks to be somebody else", () => {
        lab.ssh(
            "worker-1",
            String.raw`printf '%s\n' '#!/bin/bash' "sed 's/kubelab:kube-proxies/system:masters/' | /usr/bin/openssl \"\$@\"" >/usr/local/bin/openssl; chmod 0755 /usr/local/bin/openssl`,
        );
        lab.configure({ newKeys: { "worker-1": "stolen" } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(`${stdout}${stderr}`).toContain(
            "worker-1, kube-proxy: the certificate request is for O=system:masters, CN=system:kube-proxy:worker-1 and not for " +
                "O=kubelab:kube-proxies, CN=system:kube-proxy:worker-1, so nothing is signed",
        );
        lab.ssh("worker-1", "rm /usr/local/bin/openssl");
    }, 300_000);

    it("makes new ones on request, on that machine alone, and the node works with them", () => {
        const before = NODES.map(fingerprints);
        const { replaced, deleted, created } = lab.up({ newKeys: { "worker-1": "new" } });
        expect({ replaced, deleted, created }).toEqual({ replaced: 1, deleted: 0, created: 0 });
        const after = NODES.map(fingerprints);
        expect(after[0]).toEqual(before[0]);
        expect(Object.keys(after[1] ?? {}).filter((path) => after[1]?.[path] === before[1]?.[path])).toEqual([]);
        expect(lab.run("status").code).toBe(0);
        lab.kubectl("run", "web", "--image=nginx", "--restart=Never");
        lab.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=90s");
        expect(lab.kubectl("exec", "web", "--", "hostname")).toBe("web\n");
    }, 300_000);
});
