import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ClusterAccess } from "../../../scripts/cli/cluster-access";
import { explainResource } from "../../../scripts/cli/explain";
import type { Result } from "../../../scripts/cli/run";
import { Stack, type StackNode, type StackOutputs } from "../../../scripts/cli/stack";
import type { Explanation } from "../../../scripts/explain/explanation";
import { renderExplanation } from "../../../scripts/explain/render";

/** What a real lab answered when one resource of it was explained, with the parts that don't matter left out. */
interface Captured {
    readonly namespace: string;
    readonly resource: string;
    readonly outputs: StackOutputs;
    /** Of the one `kubectl get`; empty where it failed, with this problem. */
    readonly objects: string;
    readonly problem: string;
    readonly machines: Readonly<Record<string, Result>>;
    /** By the words of kubectl. */
    readonly logs: Readonly<Record<string, Result>>;
}

/** A lab that answers as it did then. */
class CapturedCluster extends ClusterAccess {
    constructor(private readonly captured: Captured) {
        super(Object.assign(new Stack("/nowhere", "explain"), { outputs: () => captured.outputs }), "kubectl");
    }

    override kubectl(): Promise<string> {
        const { objects, problem } = this.captured;
        return problem === "" ? Promise.resolve(objects) : Promise.reject(new Error(problem));
    }

    override tryKubectl(args: readonly string[]): Promise<Result> {
        return Promise.resolve(this.captured.logs[args.join(" ")] ?? { code: 1, stdout: "", stderr: "not captured" });
    }

    override tryAsRoot({ name }: StackNode): Promise<Result> {
        return Promise.resolve(this.captured.machines[name] ?? { code: 255, stdout: "", stderr: "not captured" });
    }
}

async function explained(name: string): Promise<Explanation> {
    const file = join(__dirname, "captured", `${name}.json.gz`);
    const captured = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Captured;
    return explainResource(new CapturedCluster(captured), [captured.resource], captured.namespace);
}

function rendered(explanation: Explanation): string {
    return renderExplanation(explanation, (command, ...words) => ["scripts/lab", command, ...words].join(" "));
}

/** A capture; who is responsible, on which nodes, at which stage; words of the summary, of evidence, of what was said. */
type Puzzle = readonly [
    name: string,
    responsible: string,
    nodes: readonly string[],
    stage: string,
    summary: RegExp,
    more?: RegExp,
];

const PUZZLES: readonly Puzzle[] = [
    [
        "pod-without-scheduler",
        "scheduler",
        ["cp-1"],
        "bound to a node",
        /no scheduler runs/,
        /no PodScheduled condition/,
    ],
    [
        "pod-without-cni",
        "CNI plugin",
        ["worker-1"],
        "address",
        /^worker-1 has no CNI configuration/,
        /NetworkPluginNotReady/,
    ],
    ["node-without-cni", "CNI plugin", ["worker-1"], "CNI configuration", /^worker-1 has no CNI configuration/],
    ["pod-cni-unread", "containerd", ["worker-1"], "address", /10-kubenet.conflist is there, and containerd/],
    [
        "service-without-kube-proxy",
        "kube-proxy",
        ["worker-2"],
        "rules on every node",
        /^worker-2 has no rules for/,
        /Stopped kube-proxy.service/,
    ],
    [
        "service-forward-drop",
        "pod network",
        ["worker-2"],
        "pods reached from every node",
        /-P FORWARD DROP/,
        /cp-1 → \S+: timeout/,
    ],
    ["node-forward-drop", "pod network", ["worker-2"], "pods' packets pass", /-P FORWARD DROP/],
    [
        "pod-address-twice",
        "pod network",
        ["worker-2"],
        "address",
        /occurs twice/,
        /worker-2 gives addresses out of 10.99.1.0\/24; its podCIDR is 10.99.2.0\/24/,
    ],
    [
        "deployment-no-token",
        "controller manager",
        [],
        "pods made",
        /^No token: the ServiceAccount default of bare/,
        /replicaset-controller/,
    ],
    ["deployment-quota", "admission", [], "pods made", /^The quota few of small/, /1 of 3 pods/],
    [
        "pod-no-image",
        "containerd",
        ["worker-1"],
        "images",
        /doesn't get the image registry.example.invalid/,
        /PullImage/,
    ],
    [
        "pod-crashes",
        "container",
        ["worker-1"],
        "containers started",
        /ends with exit code 3\.$/,
        /fatal: no such setting: colour/,
    ],
    ["pod-unready", "container", ["worker-2"], "ready", /readiness probe \(GET \/ready at port 80\) fails/],
    ["pod-large", "scheduler", ["cp-1"], "bound to a node", /Insufficient memory/, /kubectl describe nodes/],
    ["pod-tainted", "scheduler", ["cp-1"], "bound to a node", /untolerated taint/, /TAINTS:.spec.taints/],
    ["pod-secretless", "author", [], "volumes and token", /secret no-such/],
    ["pod-no-command", "author", [], "containers started", /can't be executed in its image/],
    [
        "pod-claims",
        "author",
        [],
        "bound to a node",
        /claim persistentvolumeclaim\/claims-data\. The claim names no storage class/,
    ],
    [
        "node-without-kubelet",
        "kubelet",
        ["worker-1"],
        "kubelet",
        /kubelet of worker-1 doesn't run/,
        /Stopped kubelet.service/,
    ],
    [
        "pod-without-kubelet",
        "kubelet",
        ["worker-1"],
        "taken by its kubelet",
        /has started the pod, and doesn't run any more/,
    ],
    [
        "pod-without-api",
        "API server",
        ["cp-1"],
        "told by the API server",
        /^No API server runs/,
        /Stopped kube-apiserver.service/,
    ],
];

test.each(PUZZLES.map((puzzle) => ({ puzzle, name: puzzle[0], responsible: puzzle[1] })))(
    "$name: $responsible",
    async ({ puzzle: [name, responsible, nodes, stage, summary, more = /./] }) => {
        const explanation = await explained(name);
        expect(explanation).toMatchObject({ well: false, fault: { responsible, nodes } });
        expect(explanation.stages.find(({ state }) => state === "failed")?.stage).toBe(stage);
        expect(explanation.summary).toMatch(summary);
        expect(rendered(explanation)).toMatch(more);
        expect(explanation.fault?.next.length).toBeGreaterThan(0);
    },
);

test.each(["service-well", "service-rules-stay", "deployment-well", "node-well", "pod-well"])("%s", async (name) => {
    const explanation = await explained(name);
    expect(explanation).toMatchObject({ well: true });
    expect(explanation.stages.map(({ state }) => state)).not.toContain("failed");
    expect(explanation.fault).toBeUndefined();
});

test("a chain names the stages in their order, and nothing after the first that isn't done", async () => {
    const { stages } = await explained("pod-without-scheduler");
    expect(stages.map(({ stage }) => stage)).toEqual([
        ...["admitted", "bound to a node", "taken by its kubelet", "volumes and token", "sandbox", "address", "images"],
        ...["containers started", "ready", "reached from every node"],
    ]);
    expect(stages.map(({ state }) => state).slice(0, 3)).toEqual(["done", "failed", "later"]);
});

test("text from the cluster can't move a terminal's cursor", async () => {
    const explanation = await explained("pod-crashes");
    const [said] = explanation.fault?.said ?? [];
    const evil = {
        ...explanation,
        fault: { ...explanation.fault, said: [{ who: said?.who ?? "", lines: ["a\u001b[2Jb"] }] },
    };
    expect(rendered(evil as Explanation)).toContain("a [2Jb");
});
