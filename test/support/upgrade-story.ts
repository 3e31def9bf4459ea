import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./bash";
import type { PartsDirectory } from "../../scripts/parts";
import { readRecipe } from "../../scripts/parts/recipe";
import { ETCDCTL } from "./etcd";
import { HostBefore } from "./host-state";
import { eventually, Lab, NO_CHANGES, story } from "./lab";
import { SteadyRequests } from "./steady-requests";
import { Writer } from "./writer";

const CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"];
const NODES = [...CONTROL_PLANES, "worker-1", "worker-2"];
const NEW = readRecipe().versions["kubernetes"] ?? "";
const NODE_PORT = 30080;

/** A web server's deployment, with a budget for disruptions. */
function webServer(name: string, replicas: number, minAvailable: number, node?: string): object[] {
    const metadata = { name, namespace: "default" };
    const labels = { app: name };
    const container = {
        name: "nginx",
        image: "nginx",
        imagePullPolicy: "IfNotPresent",
        readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
        // Nodes send it requests until they have heard that it goes.
        lifecycle: { preStop: { sleep: { seconds: 5 } } },
    };
    const nodeSelector = node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } };
    return [
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata,
            spec: {
                replicas,
                selector: { matchLabels: labels },
                template: { metadata: { labels }, spec: { ...nodeSelector, containers: [container] } },
            },
        },
        {
            apiVersion: "policy/v1",
            kind: "PodDisruptionBudget",
            metadata,
            spec: { minAvailable, selector: { matchLabels: labels } },
        },
    ];
}

const SERVICE = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80, nodePort: NODE_PORT }] },
};

export interface UpgradeStory {
    readonly title: string;
    /** Of the lab: `upgrade`. */
    readonly name: string;
    /** The first three numbers of its network. */
    readonly prefix: string;
    /** Versions that it begins with; the others are the pinned ones. */
    readonly from: { readonly kubernetes: string; readonly etcd?: string; readonly containerd?: string };
    readonly parts: () => Promise<PartsDirectory>;
}

/** Three control planes and two workers go from older versions to the pinned ones, under writes and visits. */
export function upgradeStory({ title, name, prefix: PREFIX, from, parts }: UpgradeStory): void {
    const OLD = from.kubernetes;
    story(title, () => {
        const directory = temporaryDirectory();
        let lab: Lab;
        let host: HostBefore;
        let visitors: readonly SteadyRequests[] = [];
        let writer: Writer | undefined;

        /** What kubelets say of their versions, by node. */
        const kubelets = (): Record<string, string> => {
            const each = '{range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}';
            const lines = lab.kubectl("get", "nodes", "-o", `jsonpath=${each}`).trim().split("\n");
            return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string]));
        };
        const allOf = (version: string, but: Readonly<Record<string, string>> = {}): Record<string, string> => ({
            ...Object.fromEntries(NODES.map((node) => [node, `v${version}`])),
            ...but,
        });
        /** When a unit's process was started, in microseconds of the clock that all machines share. */
        const startOf = (node: string, unit: string): number =>
            Number(lab.ssh(node, `systemctl show --property=ExecMainStartTimestampMonotonic --value ${unit}`));
        const plan = (): { readonly nodes: readonly { readonly name: string }[] }[] => {
            const { stages } = JSON.parse(lab.succeed("upgrade", ["--plan", "--json"])) as {
                readonly stages: { readonly nodes: readonly { readonly name: string }[] }[];
            };
            return stages;
        };
        const planned = (): string[] => plan().flatMap(({ nodes }) => nodes.map(({ name }) => name));

        beforeAll(async () => {
            lab = new Lab(name, `${PREFIX}.0/24`);
            const { path } = await parts();
            lab.configure({
                ...{ controlPlanes: CONTROL_PLANES.length, workers: 2, upgrade: { drainTimeout: 30 } },
                ...{ versions: from, parts: { source: "directory", directory: path } },
            });
            host = new HostBefore(new RegExp(`test-${name}|${PREFIX.replaceAll(".", "\\.")}\\.`));
        }, 1_500_000);
        afterAll(() => {
            visitors.forEach((visitor) => visitor.stop());
            writer?.stop();
            lab.remove();
            directory.remove();
        }, 120_000);

        it("begins at an older version, at which nothing is planned", () => {
            lab.up();
            expect(kubelets()).toEqual(allOf(OLD));
            expect(planned()).toEqual([]);
        }, 600_000);

        it("is planned: each node in its order", () => {
            const items = [...webServer("web", 2, 1), SERVICE, ...webServer("held", 1, 1, "worker-2")];
            const manifests = join(directory.path, "web.json");
            writeFileSync(manifests, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
            lab.kubectl("apply", "-f", manifests);
            lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
            lab.kubectl("rollout", "status", "deployment/held", "--timeout=120s");
            lab.configure({ versions: undefined, parts: undefined });
            expect(plan().map(({ nodes }) => nodes.map(({ name }) => name))).toEqual(NODES.map((node) => [node]));
        }, 300_000);

        it("stops at a node whose pods a budget keeps, with that reason, and leaves the node as it was", async () => {
            visitors = ["11", "21"].map(
                (host) => new SteadyRequests("visitor.sh", `http://${PREFIX}.${host}:${NODE_PORT}/`, 200),
            );
            writer = new Writer(lab);
            await eventually(60, () => {
                expect(visitors.every((visitor) => visitor.since(0).succeeded > 10)).toBe(true);
            });
            const { code, stdout, stderr } = lab.run("up", [], 900);
            expect(code).not.toBe(0);
            expect(stdout + stderr).toMatch(/worker-2 is not drained after 30 seconds/);
            expect(stdout + stderr).toMatch(/held-\S+.* violate the pod's disruption budget/);
            expect(kubelets()).toEqual(allOf(NEW, { "worker-2": `v${OLD}` }));
            expect(lab.kubectl("get", "node", "worker-2", "--no-headers")).toMatch(/ Ready /);
            expect(planned()).toEqual(["worker-2"]);
        }, 900_000);

        it("has gone from one control plane to the next, and to the worker then", () => {
            const order = [
                ...CONTROL_PLANES.flatMap((node) => [
                    ...[startOf(node, "kube-apiserver"), startOf(node, "kube-scheduler"), startOf(node, "kubelet")],
                ]),
                startOf("worker-1", "kubelet"),
            ];
            expect(order).toEqual([...order].sort((a, b) => a - b));
            expect(lab.ssh("cp-1", "ls /var/lib/kubelab/before-rollout")).toMatch(/^\d{8}T\d{6}Z\.db\n$/);
            expect(lab.ssh("cp-2", `${ETCDCTL} endpoint health --cluster`).match(/ is healthy/g)).toHaveLength(3);
        });

        it("goes on with the next up, after which nothing is left to do", () => {
            const before = startOf("worker-1", "kubelet");
            lab.kubectl("delete", "pdb", "held");
            lab.up();
            expect(kubelets()).toEqual(allOf(NEW));
            expect(startOf("worker-1", "kubelet")).toBe(before);
            expect(lab.kubectl("get", "nodes", "--no-headers")).not.toMatch(/SchedulingDisabled|NotReady/);
            expect(planned()).toEqual([]);
            expect(lab.upChanges()).toEqual(NO_CHANGES);
        }, 900_000);

        it("has cost no answer of a service with two replicas, and no acknowledged write", () => {
            const visits = visitors.map((visitor) => visitor.since(0));
            console.log(`web service: ${JSON.stringify(visits)}; writes: ${JSON.stringify(writer?.since(0))}`);
            for (const { succeeded, failed } of visits) {
                expect(failed).toBe(0);
                expect(succeeded).toBeGreaterThan(100);
            }
            expect(writer?.lost()).toEqual([]);
            expect(writer?.since(0).longestGap).toBeLessThan(5000);
        });

        it("leaves nothing behind", async () => {
            writer?.stop();
            visitors.forEach((visitor) => visitor.stop());
            lab.down();
            await host.expectAsBefore();
        }, 120_000);
    });
}
