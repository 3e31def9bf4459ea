import { clusterGraph, find, inputsOf, needsBefore, REMOTE_STEP, script } from "../support/graph";
import type { Registration, Run } from "../support/mocks";
import { testSpec } from "../support/spec";

jest.setTimeout(120_000);

const CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"];
const RUNNING = [...CONTROL_PLANES, "worker-1", "worker-2", "worker-3"];

const rollout = (more: Readonly<Record<string, unknown>> = {}, config = {}): Promise<Run> =>
    clusterGraph(testSpec({ controlPlanes: 3, workers: 4, ...config }), {
        running: RUNNING,
        partsRun: "second",
        rolledOut: "first",
        ...more,
    });

/** What of a node is in an order: the delivery of its programs, its services, its membership. */
const named = (graph: Run, name: string): Registration =>
    find(graph, name.endsWith("-parts") ? "command:local:Command" : REMOTE_STEP, name);
const inOrder = (graph: Run, ...names: string[]): void => {
    const [, ...later] = names;
    for (const [index, name] of later.entries()) {
        const earlier = names[index] ?? "";
        expect([earlier, name, needsBefore(graph, named(graph, name), named(graph, earlier))]).toEqual([
            earlier,
            name,
            true,
        ]);
    }
};
const independent = (graph: Run, one: string, other: string): void => {
    expect(needsBefore(graph, named(graph, one), named(graph, other))).toBe(false);
    expect(needsBefore(graph, named(graph, other), named(graph, one))).toBe(false);
};

describe("other programs on a running cluster", () => {
    let graph: Run;
    beforeAll(async () => {
        graph = await rollout();
    });

    test("come to a control plane's API server before its other processes, and to its kubelet last", () => {
        inOrder(graph, "cp-1-control-plane-parts", "cp-1-etcd", "cp-1-drain", "cp-1-node-parts", "cp-1-containerd");
        inOrder(graph, "cp-1-kube-apiserver", "cp-1-kube-controller-manager", "cp-1-drain");
        inOrder(graph, "cp-1-kube-apiserver", "cp-1-kube-scheduler", "cp-1-drain");
        inOrder(graph, "cp-1-kube-apiserver-keepalived", "cp-1-kube-controller-manager");
        inOrder(graph, "cp-1-node-parts", "cp-1-kubelet", "cp-1-node");
        inOrder(graph, "cp-1-node-parts", "cp-1-kube-proxy", "cp-1-node");
    });

    test("come to one control plane after the other, then to one worker after the other, each drained before", () => {
        inOrder(graph, "cp-1-node", "cp-2-control-plane-parts", "cp-2-drain", "cp-2-node", "cp-3-control-plane-parts");
        inOrder(graph, "cp-3-node", "worker-1-drain", "worker-1-node-parts", "worker-1-kubelet", "worker-1-node");
        inOrder(graph, "worker-1-node", "worker-2-drain", "worker-2-node", "worker-3-drain", "worker-3-node");
    });

    test("keep no new node waiting, and it isn't drained while it joins", () => {
        independent(graph, "worker-4-node-parts", "worker-3-node");
        inOrder(graph, "worker-4-node", "worker-4-drain");
    });

    test("come to as many workers at a time as the config says", async () => {
        const two = await rollout({}, { upgrade: { maxUnavailable: 2 } });
        independent(two, "worker-1-drain", "worker-2-drain");
        inOrder(two, "cp-3-node", "worker-2-drain");
        inOrder(two, "worker-1-node", "worker-3-drain");
        independent(two, "worker-2-node", "worker-3-drain");
    });

    test("come to static pods before the kubelet that runs them", async () => {
        const pods = await rollout({ running: ["cp-1"] }, { controlPlanes: 1, workers: 0, hosting: "static-pods" });
        inOrder(
            pods,
            "cp-1-control-plane-tools-parts",
            "cp-1-kube-apiserver",
            "cp-1-drain",
            "cp-1-kubelet",
            "cp-1-node",
        );
    });
});

describe("a run that brings no other programs", () => {
    test.each([
        ["the first one", { running: [], rolledOut: undefined }],
        ["a later one", { rolledOut: "second" }],
        ["one of a stack whose parts an earlier version got", { partsRun: undefined, rolledOut: undefined }],
    ])("has no order among nodes: %s", async (_, options) => {
        const graph = await rollout(options);
        independent(graph, "worker-1-node-parts", "worker-2-node-parts");
        independent(graph, "worker-2-kubelet", "worker-1-node");
        independent(graph, "cp-1-node-parts", "cp-1-kube-apiserver");
        independent(graph, "cp-2-kube-apiserver", "cp-1-node");
    });
});

test("each step of a node is another one when parts were asked for again, and restarts nothing by that", async () => {
    const [first, second] = [await rollout({ rolledOut: "second" }), await rollout({ partsRun: "third" })];
    for (const name of ["worker-1-drain", "worker-1-containerd", "worker-1-kubelet", "worker-1-node", "cp-1-etcd"]) {
        const text = script(second, name);
        expect(text).not.toBe(script(first, name));
        expect(text.replace("# rollout: third\n", "")).toBe(script(first, name).replace("# rollout: second\n", ""));
    }
});

test("a drain knows the versions that the node is to have, and how long its pods are given", async () => {
    const graph = await rollout({}, { upgrade: { drainTimeout: 42 } });
    expect(script(graph, "worker-1-drain")).toMatch(/\ndrain_node worker-1 1\.36\.3 2\.4\.2 42\n/);
    expect(script(graph, "worker-1-node")).toMatch(/await_kubelet worker-1 1\.36\.3; fi\n/);
    expect(inputsOf(named(graph, "worker-1-node"))).toMatchObject({
        update: expect.stringContaining("set -- update;") as string,
    });
});
