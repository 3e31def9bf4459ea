import { parse } from "yaml";
import { clusterGraph, fileOf, find, inputsOf, script } from "../../support/graph";
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

test("a virtual machine is asked for by its role, brings the functions of steps over SSH, and has the facts that its driver found", async () => {
    const local = { driver: { controlPlanes: "nspawn", workers: "qemu" }, memory: 1536 };
    const graph = await clusterGraph(testSpec({ workers: 1, local }), { machineFacts: V2 });
    const requestOf = (name: string) =>
        JSON.parse(inputsOf(find(graph, "command:local:Command", name)).stdin) as Readonly<Record<string, unknown>>;
    expect(requestOf("worker-1")).toMatchObject({
        driver: "qemu",
        vm: { cpus: 2, memory: 1536, disk: 20, accelerator: "auto" },
    });
    expect(requestOf("worker-1")).not.toHaveProperty("stepLibrary");
    expect(script(graph, "worker-1-ready")).toContain("KUBELAB_LIBRARY");
    expect(requestOf("cp-1")).toMatchObject({ driver: "nspawn", stepLibrary: expect.any(String) as string });
    expect(requestOf("cp-1")).not.toHaveProperty("vm");
});

test("a request says nothing of the driver where the config doesn't, as in earlier versions", async () => {
    const graph = await clusterGraph(testSpec());
    const request = JSON.parse(inputsOf(find(graph, "command:local:Command", "worker-1")).stdin) as object;
    expect(request).not.toHaveProperty("driver");
    expect(request).not.toHaveProperty("vm");
});
