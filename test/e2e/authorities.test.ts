import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";
import { SteadyRequests } from "../support/steady-requests";

const CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"];
const NODES = [...CONTROL_PLANES, "worker-1"];

/** Its pods ask the API all the time with their token, and tell each answer's HTTP status. */
const CLIENT = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "client", namespace: "default" },
    spec: {
        replicas: 2,
        selector: { matchLabels: { app: "client" } },
        template: {
            metadata: { labels: { app: "client" } },
            spec: { terminationGracePeriodSeconds: 1, containers: [askingContainer()] },
        },
    },
};

function askingContainer(): object {
    const own = "/var/run/secrets/kubernetes.io/serviceaccount";
    const ask = `curl -s --max-time 5 -o /dev/null -w '%{http_code}\\n' --cacert ${own}/ca.crt -H "Authorization: Bearer $(cat ${own}/token)" https://kubernetes.default.svc/apis`;
    return {
        name: "client",
        image: "curlimages/curl",
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/sh", "-c", `while :; do ${ask}; sleep 0.5; done`],
    };
}

story("the keys of authorities", () => {
    const directory = temporaryDirectory();
    let lab: Lab;
    let host: HostBefore;
    let client: SteadyRequests | undefined;

    const issuers = (pattern: RegExp): string[] => {
        const all = JSON.parse(lab.succeed("certs", ["--json"])) as {
            readonly name: string;
            readonly issuer: string;
        }[];
        return [...new Set(all.filter(({ name }) => pattern.test(name)).map(({ issuer }) => issuer))].sort();
    };
    const renew = (authority: string, ...options: string[]): string =>
        lab.succeed("certs", ["renew", "--authority", authority, ...options], 900);
    /** Certificates in a file of each control plane. */
    const inFile = (file: string): number[] =>
        CONTROL_PLANES.map((node) => Number(lab.ssh(node, `grep -c BEGIN ${file}`)));
    /** What pods that run now have been answered, but for 200: nothing else, unless something is wrong. */
    const otherAnswers = (): string[] => {
        const log = lab.kubectl("logs", "-l", "app=client", "--tail=-1", "--prefix");
        const lines = log.trim().split("\n");
        expect(lines.length).toBeGreaterThan(5);
        return lines.filter((line) => !line.endsWith(" 200"));
    };
    const isWell = (): void => {
        expect(lab.run("status").code).toBe(0);
        // The stack's file is as `certs renew` has left it.
        const { created, updated, replaced, deleted } = JSON.parse(
            lab.succeed("up", ["--json"]).trim().split("\n").at(-1) ?? "",
        ) as typeof NO_CHANGES;
        expect({ created, updated, replaced, deleted }).toEqual(NO_CHANGES);
        expect(otherAnswers()).toEqual([]);
    };

    beforeAll(() => {
        lab = new Lab("authorities", "10.249.12.0/24");
        lab.configure({ controlPlanes: CONTROL_PLANES.length, workers: 1 });
        host = new HostBefore(/test-authorities|10\.249\.12\./);
    });
    afterAll(() => {
        client?.stop();
        lab.remove();
        directory.remove();
    }, 120_000);

    it("are numbered from 1, and what would be done is shown", async () => {
        lab.up();
        const manifest = join(directory.path, "client.json");
        writeFileSync(manifest, JSON.stringify(CLIENT));
        lab.kubectl("apply", "-f", manifest);
        lab.kubectl("rollout", "status", "deployment/client", "--timeout=120s");
        client = new SteadyRequests("client.sh", lab.outputs().apiServer, 200, {
            kubeconfig: join(lab.directory, "kubeconfig"),
        });
        await eventually(30, () => {
            expect(client?.since(0).succeeded).toBeGreaterThan(10);
        });
        const plan = renew("etcd-ca", "--dry-run");
        expect(plan).toMatch(
            /^trust-both +\{ "etcd-ca": \[1, 2\] \}.*\nreissue +\{ "etcd-ca": \[2, 1\] \}.*\ntrust-new/,
        );
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);

    it("change for etcd, on all members one after another", () => {
        renew("etcd-ca");
        expect(issuers(/etcd/)).toEqual(["etcd-ca-2"]);
        expect(inFile("/etc/etcd/ca.crt")).toEqual([1, 1, 1]);
        isWell();
    }, 900_000);

    it("change for the front proxy, phase by phase", () => {
        renew("front-proxy-ca", "--until", "trust-both");
        expect(issuers(/front-proxy-client/)).toEqual(["front-proxy-ca"]);
        expect(inFile("/etc/kubernetes/kube-apiserver/front-proxy-ca.crt")).toEqual([2, 2, 2]);
        expect(lab.run("certs", ["renew", "--authority", "front-proxy-ca", "--until", "trust-old"]).code).toBe(1);
        renew("front-proxy-ca");
        expect(issuers(/front-proxy-client/)).toEqual(["front-proxy-ca-2"]);
        expect(inFile("/etc/kubernetes/kube-apiserver/front-proxy-ca.crt")).toEqual([1, 1, 1]);
        isWell();
    }, 900_000);

    it("change for the cluster: kubelets join again, pods restart before they have to know the new one", () => {
        const before = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        const former = join(directory.path, "former");
        writeFileSync(former, before, { mode: 0o600 });
        const asFormer = (): { readonly code: number } =>
            lab.run("kubectl", ["--kubeconfig", former, "--request-timeout=5s", "get", "namespaces"]);
        expect(renew("kubernetes-ca")).toMatch(/--restart-pods' restarts them/);
        expect(issuers(/kubelet-client$/)).toEqual(["kubernetes-ca"]);
        expect(otherAnswers()).toEqual([]);
        renew("kubernetes-ca", "--restart-pods", "--until", "reissue");
        expect(issuers(/kubelet-(client|server)$|^admin$|kube-apiserver$/)).toEqual(["kubernetes-ca-2"]);
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(NODES.length);
        expect(otherAnswers()).toEqual([]);
        renew("kubernetes-ca");
        expect(inFile("/etc/kubernetes/kube-apiserver/ca.crt")).toEqual([1, 1, 1]);
        expect(asFormer().code).not.toBe(0);
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(NODES.length);
        expect(lab.kubectl("exec", "deployment/client", "--", "echo", "reached")).toBe("reached\n");
        isWell();
    }, 1_800_000);

    it("change for service accounts: a token of before is refused afterwards", () => {
        const token = lab.kubectl("create", "token", "default", "--duration=1h").trim();
        const asBearer = (): string => {
            const file = join(directory.path, "token.conf");
            const { apiServer } = lab.outputs();
            const own = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
            const authority = /certificate-authority-data: (\S+)/.exec(own)?.[1];
            const cluster = { name: "lab", cluster: { server: apiServer, "certificate-authority-data": authority } };
            const config = {
                ...{ apiVersion: "v1", kind: "Config", "current-context": "lab", clusters: [cluster] },
                contexts: [{ name: "lab", context: { cluster: "lab", user: "pod" } }],
                users: [{ name: "pod", user: { token } }],
            };
            writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
            const { stdout, stderr } = lab.run("kubectl", ["--kubeconfig", file, "auth", "whoami"]);
            return stdout + stderr;
        };
        expect(asBearer()).toContain("system:serviceaccount:default:default");
        expect(renew("service-accounts")).toMatch(/--restart-pods' restarts them/);
        expect(asBearer()).toContain("system:serviceaccount:default:default");
        renew("service-accounts", "--restart-pods");
        expect(asBearer()).toMatch(/must be logged in|Unauthorized/);
        isWell();
    }, 1_800_000);

    it("have cost a steady client no answer", () => {
        const asked = client?.since(0);
        console.log(`steady client: ${JSON.stringify(asked)}`);
        expect(asked?.failures).toEqual([]);
        expect(asked?.longestGap).toBeLessThan(5000);
        expect(asked?.succeeded).toBeGreaterThan(500);
    });

    it("leave nothing behind", async () => {
        client?.stop();
        lab.succeed("verify", [], 600);
        lab.down();
        await host.expectAsBefore();
    }, 600_000);
});
