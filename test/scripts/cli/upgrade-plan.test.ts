import { type Action, planRollout, refusals, renderPlan, type Running } from "../../../scripts/cli/upgrade/plan";
import { testSpec } from "../../support/spec";

const versions = (kubernetes: string, etcd = "3.7.3", containerd = "2.4.2") => ({
    controlPlane: {
        ...{ etcd, containerd, kubelet: kubernetes, "kube-proxy": kubernetes },
        ...{ "kube-apiserver": kubernetes, "kube-controller-manager": kubernetes, "kube-scheduler": kubernetes },
    } satisfies Running,
    worker: { containerd, kubelet: kubernetes, "kube-proxy": kubernetes } satisfies Running,
});
const words = (actions: readonly Action[]): string[] =>
    actions.map((action) => (action.kind === "replace" ? action.program : action.kind));

test("control planes go first, one at a time, and workers in groups that are away together", () => {
    const { controlPlane, worker } = versions("1.36.2");
    const spec = testSpec({ controlPlanes: 3, workers: 3, upgrade: { maxUnavailable: 2 } });
    const stages = planRollout(spec, {
        ...{ "worker-1": worker, "worker-2": worker, "worker-3": worker },
        ...{ "cp-1": controlPlane, "cp-2": controlPlane, "cp-3": controlPlane },
    });
    expect(stages.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([
        ...[["cp-1"], ["cp-2"], ["cp-3"]],
        ...[["worker-1", "worker-2"], ["worker-3"]],
    ]);
    expect(words(stages[0]?.nodes[0]?.actions ?? [])).toEqual([
        ...["snapshot", "move-address", "kube-apiserver", "kube-controller-manager", "kube-scheduler"],
        ...["drain", "kubelet", "kube-proxy", "uncordon"],
    ]);
    expect(words(stages[4]?.nodes[0]?.actions ?? [])).toEqual(["drain", "kubelet", "kube-proxy", "uncordon"]);
});

test("of a rollout that stopped half-way, only what is left", () => {
    const [before, after] = [versions("1.36.2"), versions("1.36.3")];
    const spec = testSpec({ workers: 2 });
    const running = { "cp-1": after.controlPlane, "worker-1": after.worker, "worker-2": before.worker };
    expect(planRollout(spec, running).flatMap(({ nodes }) => nodes.map(({ name }) => name))).toEqual(["worker-2"]);
    expect(renderPlan(planRollout(spec, running), spec.upgrade)).toBe(
        [
            " 1. worker-2",
            "      cordon, drain within 300 s",
            "      kubelet 1.36.2 -> 1.36.3",
            "      kube-proxy 1.36.2 -> 1.36.3",
            "      Ready again, uncordon",
        ].join("\n"),
    );
    const all = { ...running, "worker-2": after.worker };
    expect(renderPlan(planRollout(spec, all), spec.upgrade)).toMatch(/nothing to upgrade/);
});

test("another etcd drains no node, and another containerd does", () => {
    const spec = testSpec({ workers: 1 });
    const { controlPlane, worker } = versions("1.36.3", "3.7.2", "2.4.1");
    const [first, second] = planRollout(spec, { "cp-1": { ...controlPlane, containerd: "2.4.2" }, "worker-1": worker });
    expect(words(first?.nodes[0]?.actions ?? [])).toEqual(["snapshot", "etcd"]);
    expect(words(second?.nodes[0]?.actions ?? [])).toEqual(["drain", "containerd", "uncordon"]);
});

test("what may not follow what runs is refused with the page of its rule", () => {
    const spec = testSpec({ versions: { kubernetes: "1.34.9", etcd: "3.5.1" } });
    const refused = refusals(spec, { "cp-1": versions("1.36.2").controlPlane });
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatch(/kubelab:versions\.kubernetes: "1\.34\.9" is older .*version-skew-policy/);
    expect(refused[1]).toMatch(/kubelab:versions\.etcd: "3\.5\.1" is older .*etcd\.io\/docs\/\S+\/upgrades/);
    expect(refusals(testSpec(), { "cp-1": versions("1.35.0").controlPlane })).toEqual([]);
});
