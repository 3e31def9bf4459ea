import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cgroupsOf, hostCgroupLayout, processesIn } from "../../machines/cgroups";
import { machineNames } from "../../machines/names";
import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";
import type { StackNode } from "../stack";
import { type Spread, spread } from "./numbers";
import { timed } from "./process";

/** TCP, one stream, in Gbit/s as it was received. */
export interface Throughput {
    readonly pairs: readonly { readonly nodes: number; readonly pods: number }[];
    readonly nodes: Spread;
    readonly pods: Spread;
    /** Of pods to nodes, pair by pair. */
    readonly ratio: Spread;
}

const SECONDS_PER_TEST = 2;
const PORT = 5201;

/**
 * Measures from one worker to another and between a pod on each, in alternating runs. @throws UserError with fewer than
 * two workers.
 */
export async function measureThroughput(
    cluster: ClusterAccess,
    pairs: number,
    signal: AbortSignal,
): Promise<Throughput> {
    const { nodes } = cluster.stack.outputs();
    const [from, to] = nodes.filter(({ role }) => role === "worker");
    if (from === undefined || to === undefined) {
        throw new UserError("throughput between nodes is measured between two workers");
    }
    const lab = cluster.stack.name;
    const addresses = await startPods(cluster, [from, to]);
    const ends = [from, to].map((node) => {
        const address = addresses.get(node.name) ?? "";
        const { networkNamespace } = machineNames(lab, node.name);
        return {
            node: { namespace: join("/run/netns", networkNamespace), address: node.address },
            pod: { namespace: namespaceOfPod(lab, node.name, address), address },
        };
    });
    const [client, server] = ends;
    if (client === undefined || server === undefined) {
        throw new Error("two ends");
    }
    const measured = [];
    for (let pair = 0; pair < pairs; pair++) {
        measured.push({
            nodes: await gigabits(client.node.namespace, server.node, signal),
            pods: await gigabits(client.pod.namespace, server.pod, signal),
        });
    }
    await cluster.kubectl(["delete", "pod", ...[...addresses.keys()].map(podName), "--grace-period=0", "--force"]);
    return {
        pairs: measured,
        nodes: spread(measured.map((each) => each.nodes)),
        pods: spread(measured.map((each) => each.pods)),
        ratio: spread(measured.map((each) => each.pods / each.nodes)),
    };
}

function podName(node: string): string {
    return `throughput-${node}`;
}

/** A pod on each node; their addresses by the node's name. */
async function startPods(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<ReadonlyMap<string, string>> {
    const items = nodes.map(({ name }) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: podName(name) },
        spec: {
            nodeName: name,
            terminationGracePeriodSeconds: 0,
            containers: [{ name: "web", image: "nginx", imagePullPolicy: "IfNotPresent" }],
        },
    }));
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const names = nodes.map(({ name }) => `pod/${podName(name)}`);
    await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=120s", ...names]);
    const path = "jsonpath={.status.podIP}";
    const addresses = nodes.map(
        async ({ name }) => [name, (await cluster.kubectl(["get", "pod", podName(name), "-o", path])).trim()] as const,
    );
    return new Map(await Promise.all(addresses));
}

/** Path of the network namespace of the pod that has the address: that of a process on the machine which sees it as its own. */
function namespaceOfPod(lab: string, machine: string, address: string): string {
    const own = `|-- ${address}\n`;
    for (const pid of processesIn(cgroupsOf(hostCgroupLayout(), { lab, machine }))) {
        try {
            const trie = readFileSync(`/proc/${pid}/net/fib_trie`, "utf8");
            if (trie.split(own).some((after, index) => index > 0 && /^\s*\/32 host LOCAL/.test(after))) {
                return `/proc/${pid}/ns/net`;
            }
        } catch {
            // The process has ended.
        }
    }
    throw new Error(`no process on ${machine} has the address ${address}`);
}

/** One iperf3 test. The programs are the host's; the namespaces are the machines' and the pods'. */
async function gigabits(
    client: string,
    server: { readonly namespace: string; readonly address: string },
    signal: AbortSignal,
): Promise<number> {
    const listening = spawn(
        "nsenter",
        [`--net=${server.namespace}`, "iperf3", "--server", "--one-off", "--port", `${PORT}`],
        {
            stdio: "ignore",
        },
    );
    try {
        await sleep(200);
        const { stdout } = await timed(
            [
                ...["nsenter", `--net=${client}`, "iperf3", "--client", server.address, "--port", `${PORT}`],
                ...["--time", `${SECONDS_PER_TEST}`, "--json"],
            ],
            { signal },
        );
        const { end } = JSON.parse(stdout) as {
            readonly end: { readonly sum_received: { readonly bits_per_second: number } };
        };
        return end.sum_received.bits_per_second / 1e9;
    } finally {
        listening.kill();
    }
}
