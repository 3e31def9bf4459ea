import pc from "picocolors";
import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";
import { allowsLabelled, type Conversation, denies, ignores, type Kubectl, removePolicies } from "./verify-policies";
import { startServices } from "./verify-services";
import { bgpSessions, routesToPods } from "./verify-routes";
import { late } from "../support/late";

const NAMESPACE = "kubelab-verify";

/** One line of the table: a check and its result. */
export interface Check {
    readonly name: string;
    readonly passed: boolean;
    /** The observation, or the reason of the failure. */
    readonly detail: string;
    readonly seconds: number;
}

/** Runs a check and records its result under a name. */
type Tried = (name: string, body: () => Promise<string>) => Promise<void>;

interface Pod {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIP: string };
}

/**
 * Uses the cluster as a person would: create, scale, expose; then calls the service from every node and from a pod, by
 * address and by name, and pods across nodes. Works in a namespace of its own and deletes it afterwards.
 *
 * @param report called with every check as it ends.
 * @returns all checks; later ones run after a failed one, too.
 */
export async function verify(
    cluster: ClusterAccess,
    report: (check: Check) => void = () => undefined,
): Promise<Check[]> {
    const checks: Check[] = [];
    const check: Tried = async (name, body) => {
        const start = Date.now();
        const result = await body().then(
            (detail) => ({ passed: true, detail }),
            (error: unknown) => ({ passed: false, detail: error instanceof Error ? error.message : String(error) }),
        );
        const done = { name, ...result, seconds: (Date.now() - start) / 1000 };
        checks.push(done);
        report(done);
    };
    const { nodes } = cluster.stack.outputs();
    const kubectl = (...args: string[]): Promise<string> => cluster.kubectl(["-n", NAMESPACE, ...args]);
    const inProbe = (pod: string, ...command: string[]): Promise<string> => kubectl("exec", pod, "--", ...command);

    await check("nodes are Ready", () => nodesReady(cluster, nodes));
    await cluster.kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s"]);
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    // A pod with a port of its node is beyond the level `baseline`.
    await cluster.kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=privileged"]);
    await startProbes(cluster, nodes);
    try {
        let address = "";
        let pods: Pod[] = [];
        await check("kubectl create deployment web --image=nginx", async () => {
            await kubectl("create", "deployment", "web", "--image=nginx");
            await kubectl("rollout", "status", "deployment/web", "--timeout=120s");
            return "1 pod available";
        });
        await check("kubectl scale deployment web --replicas=3", async () => {
            await kubectl("scale", "deployment", "web", "--replicas=3");
            await kubectl("rollout", "status", "deployment/web", "--timeout=120s");
            const list = JSON.parse(await kubectl("get", "pods", "-l", "app=web", "-o", "json")) as { items: Pod[] };
            pods = list.items;
            return pods.map(({ spec, status }) => `${status.podIP} on ${spec.nodeName}`).join(", ");
        });
        await check("kubectl expose deployment web --port=80", async () => {
            await kubectl("expose", "deployment", "web", "--port=80");
            address = (await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")).trim();
            return `service at ${address}`;
        });
        for (const node of nodes) {
            await check(`the service answers on ${node.name}`, async () =>
                welcome(
                    await cluster.ssh(
                        node,
                        `curl -sS --max-time 5 --retry 20 --retry-delay 0 --retry-connrefused http://${address}/`,
                    ),
                ),
            );
        }
        await check("the service answers a pod by its name", async () => {
            await kubectl("wait", "pod", "-l", "app=probe", "--for=condition=Ready", "--timeout=120s");
            return welcome(await inProbe(probeName(nodes[0]), "curl", "-sS", "--max-time", "5", "http://web/"));
        });
        await check("DNS resolves kubernetes.default.svc and web", async () => {
            const lookups = await Promise.all(
                ["kubernetes.default.svc", `web.${NAMESPACE}.svc`].map(async (name) => {
                    const seen = (await inProbe(probeName(nodes[0]), "getent", "ahostsv4", name)).split(/\s/)[0];
                    return `${name} = ${seen}`;
                }),
            );
            return lookups.join(", ");
        });
        await verifyServices(cluster, check);
        await check("pods reach pods on every node, without address translation", () => podsReachPods(cluster, nodes));
        await verifyNetwork(cluster, check);
        for (const node of nodes) {
            await check(`kubectl logs, exec and port-forward on ${node.name}`, () => debugging(cluster, node));
        }
    } finally {
        await check("cleaned up", async () => {
            await cluster.kubectl(["delete", "namespace", NAMESPACE, "--timeout=120s"]);
            return `namespace ${NAMESPACE} deleted`;
        });
    }
    return checks;
}

/** One line of the table on the terminal. */
export function renderCheck({ name, passed, detail, seconds }: Check): string {
    const mark = passed ? pc.green("✓") : pc.red("✗");
    return `${mark} ${name.padEnd(58)} ${seconds.toFixed(1).padStart(5)} s  ${passed ? pc.dim(detail) : pc.red(detail)}`;
}

async function nodesReady(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<string> {
    const names = nodes.map(({ name }) => `node/${name}`);
    await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=60s", ...names]);
    return names.length === 1 ? "1 node" : `${names.length} nodes`;
}

function welcome(page: string): string {
    if (!page.includes("Welcome to nginx")) {
        throw new Error(`the answer isn't nginx's page: ${page.slice(0, 80)}`);
    }
    return "Welcome to nginx";
}

function probeName(node: StackNode | undefined): string {
    return `probe-${node?.name ?? ""}`;
}

/** A pod with curl on every node, control planes too, that also answers HTTP with its own name. */
async function startProbes(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<void> {
    const pod = (name: string, node: StackNode, container: object): object => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: NAMESPACE, labels: { app: name.startsWith("probe") ? "probe" : "hostname" } },
        spec: {
            nodeName: node.name,
            tolerations: [{ operator: "Exists" }],
            terminationGracePeriodSeconds: 0,
            automountServiceAccountToken: false,
            containers: [container],
        },
    });
    const items = nodes.flatMap((node) => [
        pod(probeName(node), node, {
            name: "curl",
            image: "curlimages/curl",
            imagePullPolicy: "IfNotPresent",
            command: ["sleep", "3600"],
        }),
        pod(`hostname-${node.name}`, node, {
            name: "agnhost",
            image: AGNHOST,
            args: ["netexec", "--http-port=8080"],
        }),
    ]);
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** Services and ports of each kind, all at a time. */
async function verifyServices(cluster: ClusterAccess, check: Tried): Promise<void> {
    const { nodes } = cluster.stack.outputs();
    let checks: Readonly<Record<string, () => Promise<string>>> = {};
    await check("services of each kind have pods", async () => {
        const probe = probeName(nodes[0]);
        checks = await startServices({ cluster, namespace: NAMESPACE, image: AGNHOST, nodes, probe });
        return `${Object.keys(checks).length} more checks`;
    });
    await Promise.all(Object.entries(checks).map(([name, body]) => check(name, body)));
}

/** What the pod network claims: its routes, and policies where it enforces them. */
async function verifyNetwork(cluster: ClusterAccess, check: Tried): Promise<void> {
    const { nodes, podNetwork } = cluster.stack.outputs();
    const kubectl: Kubectl = (args, input) => cluster.kubectl(["-n", NAMESPACE, ...args], input);
    if (nodes.length > 1 && podNetwork !== "bridge") {
        await check("routes to the pods of every other node", () => routesToPods(cluster, nodes, podNetwork));
    }
    if (podNetwork !== "kube-router") {
        await check(`NetworkPolicy isn't enforced by ${podNetwork}`, async () =>
            ignores(kubectl, await conversations(cluster, nodes)),
        );
    } else {
        if (nodes.length > 1) {
            await check("BGP sessions between all nodes", () => bgpSessions(cluster, nodes));
        }
        await check("a NetworkPolicy denies", async () => denies(kubectl, await conversations(cluster, nodes)));
        await check("a NetworkPolicy allows pods with a label", async () =>
            allowsLabelled(kubectl, await conversations(cluster, nodes)),
        );
    }
    await removePolicies(kubectl);
}

/** A probe on the same node and one on another ask the hostname pod of the last node. */
async function conversations(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<Conversation[]> {
    const last = nodes.at(-1);
    const to = `hostname-${last?.name ?? ""}`;
    const path = "jsonpath={.status.podIP}";
    const address = (await cluster.kubectl(["-n", NAMESPACE, "get", "pod", to, "-o", path])).trim();
    const [same, across] = [last, nodes.find(({ name }) => name !== last?.name)];
    const url = `http://${address}:8080`;
    return [
        { from: probeName(same), to, url, where: "on one node" },
        ...(across === undefined ? [] : [{ from: probeName(across), to, url, where: "across nodes" }]),
    ];
}

const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

/** Every probe asks the hostname pod of every node for its name and for the address it sees: the probe's own, not a node's. */
async function podsReachPods(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<string> {
    await cluster.kubectl(["-n", NAMESPACE, "wait", "pod", "--all", "--for=condition=Ready", "--timeout=120s"]);
    const list = JSON.parse(await cluster.kubectl(["-n", NAMESPACE, "get", "pods", "-o", "json"])) as { items: Pod[] };
    const address = (name: string): string =>
        list.items.find(({ metadata }) => metadata.name === name)?.status.podIP ?? "";
    for (const from of nodes) {
        for (const to of nodes) {
            const url = `http://${address(`hostname-${to.name}`)}:8080`;
            const probe = probeName(from);
            const answer = await cluster.kubectl([
                ...["-n", NAMESPACE, "exec", probe, "--", "curl", "-sS", "--max-time", "5"],
                ...[`${url}/hostname`, `${url}/clientip`],
            ]);
            if (!answer.startsWith(`hostname-${to.name}`) || !answer.includes(`${address(probe)}:`)) {
                throw new Error(`${probe} (${address(probe)}) asked ${url} on ${to.name} and got "${answer.trim()}"`);
            }
        }
    }
    return `${nodes.length * nodes.length} of ${nodes.length * nodes.length} pairs`;
}

/** What the API server asks of a kubelet: logs, exec, a port. */
async function debugging(cluster: ClusterAccess, node: StackNode): Promise<string> {
    const { forwarded } = await late<typeof import("./port-forward")>(require, "./port-forward");
    const name = `hostname-${node.name}`;
    const logs = await cluster.kubectl(["-n", NAMESPACE, "logs", name]);
    if (!logs.includes("8080")) {
        throw new Error(`logs of ${name} do not name its port: ${logs.slice(0, 80)}`);
    }
    const kernel = await cluster.kubectl(["-n", NAMESPACE, "exec", probeName(node), "--", "uname", "-s"]);
    const seen = await forwarded(cluster, NAMESPACE, name, 8080, (url) =>
        fetch(`${url}/hostname`).then((r) => r.text()),
    );
    if (seen.trim() !== name) {
        throw new Error(`port-forward to ${name} answered "${seen}"`);
    }
    return `logs, exec (${kernel.trim()}), port-forward`;
}
