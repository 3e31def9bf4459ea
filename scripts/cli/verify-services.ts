import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";

/** Ports of agnhost's netexec. */
const [HTTP, UDP] = [8080, 8081];
/** Of a node, where nothing else is likely to be. */
const HOST_PORT = 28080;
/** Bytes of an answer: hundreds of packets, each as large as the network lets through. */
const LARGE = 1_000_000;

/** What of services and ports verify tries, by what conformance looks at. */
export interface ServicesUnderTest {
    readonly cluster: ClusterAccess;
    readonly namespace: string;
    /** Image with `netexec`. */
    readonly image: string;
    readonly nodes: readonly StackNode[];
    /** A pod with curl and getent. */
    readonly probe: string;
}

interface Address {
    readonly clusterIP: string;
    readonly port: number;
    readonly nodePort: number;
}

/**
 * Makes an `echo` with a pod on each node that takes pods, and services of each kind for it.
 *
 * @returns a check by its name, to be run in any order.
 */
export async function startServices(
    under: ServicesUnderTest,
): Promise<Readonly<Record<string, () => Promise<string>>>> {
    const { cluster, namespace, nodes, probe } = under;
    const kubectl = (...args: string[]): Promise<string> => cluster.kubectl(["-n", namespace, ...args]);
    const search = await kubectl("exec", probe, "--", "cat", "/etc/resolv.conf");
    const domain = /^search .*?\bsvc\.(\S+)/m.exec(search)?.[1] ?? "cluster.local";
    const items = [daemonSet(under), ...services(under, domain), hostPortPod(under)];
    await cluster.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await kubectl("rollout", "status", "daemonset/echo", "--timeout=120s");
    const pods = (await podsOf(under)).sort((a, b) => (a.node < b.node ? -1 : 1));
    const ask = (...urls: string[]): Promise<string> =>
        kubectl(
            ...["exec", probe, "--", "curl", "-sS", "--max-time", "10", "--retry", "5", "--retry-connrefused"],
            // Each by a connection of its own.
            ...["-H", "Connection: close", ...urls],
        );
    const lookUp = async (name: string): Promise<string[]> => {
        const text = await kubectl("exec", probe, "--", "getent", "ahostsv4", name);
        return [
            ...new Set(
                text
                    .trim()
                    .split("\n")
                    .map((line) => line.split(/\s/)[0] ?? ""),
            ),
        ].sort();
    };
    return {
        "a service answers UDP": async () => {
            const { clusterIP } = await addressOf(under, "echo-udp");
            const [via] = pods;
            const dial = `http://${via?.address}:${HTTP}/dial?request=hostname&protocol=udp&host=${clusterIP}&port=${UDP}&tries=5`;
            const { responses = [], errors = [] } = JSON.parse(await ask(dial)) as {
                readonly responses?: readonly string[];
                readonly errors?: readonly string[];
            };
            return expecting(responses.length === 5, `5 of 5 from ${clusterIP}:${UDP}`, errors.join(", "));
        },
        "a client stays with one pod by session affinity": async () => {
            const { clusterIP } = await addressOf(under, "echo-affinity");
            const answers = (await ask(...Array.from({ length: 10 }, () => `http://${clusterIP}/hostname`))).match(
                /echo-[a-z0-9]{5}/g,
            );
            const seen = new Set(answers);
            return expecting(
                answers?.length === 10 && seen.size === 1,
                `10 of 10 from ${[...seen][0]}`,
                [...seen].join(", "),
            );
        },
        "a NodePort answers on every node": async () => {
            const { nodePort } = await addressOf(under, "echo-nodes");
            for (const from of [nodes[0], nodes.at(-1)]) {
                for (const to of nodes) {
                    await fromNode(
                        cluster,
                        from,
                        `http://${await insideAddress(cluster, to)}:${nodePort}/hostname`,
                        /^echo-/,
                    );
                }
            }
            return `port ${nodePort} of ${nodes.length}`;
        },
        "externalTrafficPolicy Local keeps the client's address": async () => {
            const { nodePort } = await addressOf(under, "echo-local");
            const to = pods[0];
            const from = nodes.find(({ name }) => name !== to?.node);
            const target = nodes.find(({ name }) => name === to?.node);
            if (from === undefined || target === undefined) {
                return "one node only";
            }
            const own = await insideAddress(cluster, from);
            const url = `http://${await insideAddress(cluster, target)}:${nodePort}/clientip`;
            await fromNode(cluster, from, url, new RegExp(`^${own.replaceAll(".", "\\.")}:`));
            return `${own} seen on ${target.name}`;
        },
        "a headless service has the names of its pods": async () => {
            const found = await lookUp("echo-headless");
            const wanted = pods.map(({ address }) => address).sort();
            return expecting(
                found.join() === wanted.join(),
                found.join(", "),
                `${found.join(", ")}, not ${wanted.join(", ")}`,
            );
        },
        "an external name leads to another": async () => {
            const [found, wanted] = [await lookUp("echo-external"), await lookUp("kubernetes.default.svc")];
            return expecting(found.join() === wanted.join(), found.join(), `${found.join()}, not ${wanted.join()}`);
        },
        "a hostPort answers on its node": async () => {
            const node = pods.at(-1)?.node ?? "";
            await kubectl("wait", "pod/echo-host-port", "--for=condition=Ready", "--timeout=60s");
            const on = nodes.find(({ name }) => name === node);
            const from = nodes.find(({ name }) => name !== node) ?? on;
            const url = `http://${await insideAddress(cluster, on)}:${HOST_PORT}/hostname`;
            await fromNode(cluster, from, url, /^echo-host-port/);
            return `${HOST_PORT} of ${node}`;
        },
        "large answers come whole from every node": async () => {
            for (const { address, node } of pods) {
                const url = `http://${address}:${HTTP}/shell?cmd=head%20-c%20${LARGE}%20/dev/zero%20|%20tr%20%27%5C000%27%20x`;
                const bytes = Number(await ask("-o", "/dev/null", "-w", "%{size_download}", url));
                expecting(bytes > LARGE, "", `${bytes} of ${LARGE} bytes from ${node}`);
            }
            return `${LARGE / 1e6} MB from ${pods.length}`;
        },
    };
}

function expecting(holds: boolean, detail: string, otherwise: string): string {
    if (!holds) {
        throw new Error(otherwise);
    }
    return detail;
}

/** The answer to a node's own request. @throws Error where it isn't as expected. */
async function fromNode(
    cluster: ClusterAccess,
    node: StackNode | undefined,
    url: string,
    expected: RegExp,
): Promise<void> {
    if (node === undefined) {
        throw new Error("there is no node to ask from");
    }
    const answer = await cluster.ssh(
        node,
        `curl -sS --max-time 5 --retry 5 --retry-delay 1 --retry-connrefused ${url}`,
    );
    if (!expected.test(answer)) {
        throw new Error(`${node.name} asked ${url} and got "${answer.trim().slice(0, 80)}"`);
    }
}

/** Of a node, as nodes know each other. */
async function insideAddress(cluster: ClusterAccess, node: StackNode | undefined): Promise<string> {
    const path = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
    return (await cluster.kubectl(["get", "node", node?.name ?? "", "-o", path])).trim();
}

async function addressOf({ cluster, namespace }: ServicesUnderTest, name: string): Promise<Address> {
    const { spec } = JSON.parse(await cluster.kubectl(["-n", namespace, "get", "service", name, "-o", "json"])) as {
        readonly spec: { readonly clusterIP: string; readonly ports: readonly { port: number; nodePort?: number }[] };
    };
    const [{ port, nodePort = 0 } = { port: 0 }] = spec.ports;
    return { clusterIP: spec.clusterIP, port, nodePort };
}

async function podsOf({ cluster, namespace }: ServicesUnderTest): Promise<{ address: string; node: string }[]> {
    const each = '{range .items[*]}{.status.podIP} {.spec.nodeName}{"\\n"}{end}';
    const text = await cluster.kubectl(["-n", namespace, "get", "pods", "-l", "app=echo", "-o", `jsonpath=${each}`]);
    return text
        .trim()
        .split("\n")
        .map((line) => line.split(" "))
        .map(([address = "", node = ""]) => ({ address, node }));
}

function podSpec({ image }: ServicesUnderTest, ports: readonly object[] = []): object {
    return {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [{ name: "agnhost", image, args: ["netexec", `--http-port=${HTTP}`, `--udp-port=${UDP}`], ports }],
    };
}

function daemonSet(under: ServicesUnderTest): object {
    const labels = { app: "echo" };
    return {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name: "echo", namespace: under.namespace },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(under) } },
    };
}

function services({ namespace }: ServicesUnderTest, domain: string): object[] {
    const service = (name: string, spec: object): object => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace },
        spec: { selector: { app: "echo" }, ...spec },
    });
    const web = { ports: [{ port: 80, targetPort: HTTP }] };
    return [
        service("echo-udp", { ports: [{ port: UDP, protocol: "UDP" }] }),
        service("echo-affinity", { ...web, sessionAffinity: "ClientIP" }),
        service("echo-nodes", { ...web, type: "NodePort" }),
        service("echo-local", { ...web, type: "NodePort", externalTrafficPolicy: "Local" }),
        service("echo-headless", { ...web, clusterIP: "None" }),
        service("echo-external", {
            selector: undefined,
            type: "ExternalName",
            externalName: `kubernetes.default.svc.${domain}`,
        }),
    ];
}

function hostPortPod(under: ServicesUnderTest): object {
    const { namespace, nodes } = under;
    const spec = podSpec(under, [{ containerPort: HTTP, hostPort: HOST_PORT }]);
    const workers = nodes.filter(({ role }) => role === "worker");
    const node = (workers.length > 0 ? workers : nodes)
        .map(({ name }) => name)
        .sort()
        .at(-1);
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "echo-host-port", namespace },
        spec: { ...spec, nodeName: node },
    };
}
