import { parse } from "yaml";
import { clusterGraph, fileOf } from "../../support/graph";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const V2 = {
    cgroupDriver: "systemd",
    failCgroupV1: true,
    failSwapOn: false,
    restrictOomScoreAdj: false,
    conntrackMaxPerCore: 0,
} as const;

/** The configuration that follows from what machine `worker-1` is like. */
async function configuration(machineFacts?: typeof V2) {
    const graph = await clusterGraph(testSpec(), machineFacts === undefined ? {} : { machineFacts });
    return {
        kubelet: parse(fileOf(graph, "worker-1-kubelet", "/etc/kubernetes/kubelet/kubelet.yaml")) as object,
        containerd: fileOf(graph, "worker-1-containerd", "/etc/containerd/config.toml"),
    };
}

test("on machines whose driver found cgroup v2, systemd owns the cgroups of containerd and the kubelet alike", async () => {
    const { kubelet, containerd } = await configuration(V2);
    expect(kubelet).toMatchObject({ cgroupDriver: "systemd", failCgroupV1: true, failSwapOn: false });
    expect(containerd).toContain("SystemdCgroup = true");
    expect(containerd).toContain("restrict_oom_score_adj = false");
    expect(containerd).toContain("certs.d");
});

test("machines of an earlier version, whose driver said nothing, keep the configuration that they have", async () => {
    const { kubelet, containerd } = await configuration();
    expect(kubelet).toMatchObject({ cgroupDriver: "cgroupfs", failCgroupV1: false, failSwapOn: false });
    expect(containerd).toContain("SystemdCgroup = false");
});
