import { clusterGraph, fileOf, find, inputsOf, needsBefore, REMOTE_STEP, script } from "../support/graph";
import type { Registration, Run } from "../support/mocks";
import { testSpec } from "../support/spec";

jest.setTimeout(60_000);

let graph: Run;

beforeAll(async () => {
    graph = await clusterGraph(testSpec({ controlPlanes: 3, workers: 1 }));
});

const step = (name: string): Registration => find(graph, REMOTE_STEP, name);
const comesAfter = (later: string, earlier: string): boolean => needsBefore(graph, step(later), step(earlier));

test("the members of etcd come one after the other", () => {
    expect(comesAfter("cp-2-etcd", "cp-1-etcd")).toBe(true);
    expect(comesAfter("cp-3-etcd", "cp-2-etcd-member")).toBe(true);
    expect(script(graph, "cp-1-etcd")).toMatch(/\netcd_enter cp-1 https:\S+ https:\S+,https:\S+ found\n/);
    expect(script(graph, "cp-2-etcd")).toMatch(/\netcd_enter cp-2 https:\S+ https:\S+,https:\S+\n/);
});

test("only the first run of a member's step may begin a cluster", () => {
    expect(step("cp-1-etcd").inputs).toMatchObject({
        create: expect.stringContaining("set -- create;") as string,
        update: expect.stringContaining("set -- update;") as string,
    });
});

test("a member leaves by another machine, and before its own machine goes", () => {
    const member = step("cp-3-etcd-member");
    const vm = (name: string): string => find(graph, "command:local:Command", name).urn;
    expect(member.dependencies).toContain(vm("cp-3"));
    expect(member.deletedWith).toBe(vm("cp-1"));
    expect(inputsOf(member).stdin).toMatch(
        /\non_delete\(\) \{\nonce \S+\ntake_address \S+ 10\.240\.0\.10\netcd_leave cp-3 https:/,
    );
    // They leave in the reverse order.
    expect(comesAfter("cp-3-etcd-member", "cp-2-etcd-member")).toBe(true);
});

test("controllers that elect a leader start after those that didn't have", () => {
    expect(comesAfter("cp-2-kube-controller-manager", "cp-1-kube-controller-manager")).toBe(true);
    expect(comesAfter("cp-2-kube-scheduler", "cp-1-kube-scheduler")).toBe(true);
});

test("all Secrets are written again when every API server can read them", async () => {
    const keys = { controlPlanes: 3, workers: 1, encryptionKeys: '["key-1", "key-2"]' };
    const rotated = await clusterGraph(testSpec(keys));
    const again = find(rotated, REMOTE_STEP, "cp-3-secrets-encryption");
    for (const name of ["cp-1-kube-apiserver", "cp-2-kube-apiserver", "cp-3-kube-apiserver"]) {
        expect([name, needsBefore(rotated, again, find(rotated, REMOTE_STEP, name))]).toEqual([name, true]);
    }
});

test("no worker's kubelet has anything of a control plane's machine that could start it again", async () => {
    const text = script(graph, "worker-1-kubelet");
    expect(text).not.toContain("/control-plane");
    const five = await clusterGraph(testSpec({ controlPlanes: 5, workers: 1 }));
    expect(script(five, "worker-1-kubelet")).toBe(text);
});

test("a worker asks all API servers, and a control plane its own", () => {
    const haproxy = fileOf(graph, "worker-1-kube-apiserver-haproxy", "/etc/kubernetes/haproxy/haproxy.cfg");
    expect(haproxy.match(/^ {4}server .*$/gm)).toEqual([
        "    server cp-1 10.240.0.11:6443",
        "    server cp-2 10.240.0.12:6443",
        "    server cp-3 10.240.0.13:6443",
    ]);
    for (const machine of ["cp-1", "cp-2", "worker-1"]) {
        expect(script(graph, `${machine}-ready`)).toContain("\n127.0.0.1 api.test\n");
    }
});

test("a machine is the same whether it is the only control plane or one of several", async () => {
    const one = await clusterGraph(testSpec({ controlPlanes: 1, workers: 1 }));
    const triggers = (run: Run): unknown => find(run, "command:local:Command", "cp-1").inputs["triggers"];
    expect(triggers(graph)).toEqual(triggers(one));
});
