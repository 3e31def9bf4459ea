import { machineId, type Properties, type Registration, run, type Run } from "../support/mocks";
import { stepCommand } from "../../components/steps/step";
import { clusterGraph, find, inputsOf, needsBefore, REMOTE_STEP } from "../support/graph";
import { isSecret, withoutSecrets } from "../support/secrets";
import { testSpec } from "../support/spec";

jest.setTimeout(60_000);

let graph: Run;

beforeAll(async () => {
    graph = await clusterGraph(testSpec());
});

/** The components as `pulumi up` draws them. */
function tree({ resources }: Run): string[] {
    const draw = (parent: string, depth: number): string[] =>
        resources
            .filter((resource) => resource.parent === parent && !resource.custom)
            .flatMap(({ urn, type, name }) => [`${"  ".repeat(depth)}${type} ${name}`, ...draw(urn, depth + 1)]);
    return draw("", 0);
}

test("a person who watches `pulumi up` sees the parts of a cluster", () => {
    expect(tree(graph)).toEqual([
        "pulumi:pulumi:Stack kubelab-test",
        "  kubelab:index:Cluster test",
        "    kubelab:machines:LocalMachine cp-1",
        "    kubelab:machines:LocalMachine worker-1",
        "    kubelab:machines:LocalMachine worker-2",
        "    kubelab:pki:Pki test",
        "      kubelab:pki:CertificateAuthority kubernetes-ca",
        "      kubelab:pki:CertificateAuthority etcd-ca",
        "      kubelab:pki:CertificateAuthority front-proxy-ca",
        "    kubelab:network:Kubenet test",
        "    kubelab:node:Node cp-1",
        "      kubelab:node:Containerd cp-1-containerd",
        "      kubelab:node:Kubelet cp-1-kubelet",
        "      kubelab:node:KubeProxy cp-1-kube-proxy",
        "    kubelab:node:Node worker-1",
        "      kubelab:node:Containerd worker-1-containerd",
        "      kubelab:node:Kubelet worker-1-kubelet",
        "      kubelab:node:KubeProxy worker-1-kube-proxy",
        "    kubelab:node:Node worker-2",
        "      kubelab:node:Containerd worker-2-containerd",
        "      kubelab:node:Kubelet worker-2-kubelet",
        "      kubelab:node:KubeProxy worker-2-kube-proxy",
        "    kubelab:control-plane:ControlPlane cp-1",
        "      kubelab:control-plane:Etcd cp-1-etcd",
        "      kubelab:control-plane:ApiServer cp-1-kube-apiserver",
        "      kubelab:node-certificates:NodeApprover cp-1-node-approver",
        "      kubelab:control-plane:ControllerManager cp-1-kube-controller-manager",
        "      kubelab:control-plane:Scheduler cp-1-kube-scheduler",
    ]);
});

test("a part that is switched off isn't there", async () => {
    const components = { scheduler: false, controllerManager: false, kubeProxy: false, dns: false };
    const without = await clusterGraph(testSpec({ components, workers: 0 }));
    expect(tree(without).map((line) => line.trim())).toEqual([
        "pulumi:pulumi:Stack kubelab-test",
        "kubelab:index:Cluster test",
        "kubelab:machines:LocalMachine cp-1",
        "kubelab:pki:Pki test",
        "kubelab:pki:CertificateAuthority kubernetes-ca",
        "kubelab:pki:CertificateAuthority etcd-ca",
        "kubelab:pki:CertificateAuthority front-proxy-ca",
        "kubelab:network:Kubenet test",
        "kubelab:node:Node cp-1",
        "kubelab:node:Containerd cp-1-containerd",
        "kubelab:node:Kubelet cp-1-kubelet",
        "kubelab:control-plane:ControlPlane cp-1",
        "kubelab:control-plane:Etcd cp-1-etcd",
        "kubelab:control-plane:ApiServer cp-1-kube-apiserver",
    ]);
    expect(without.resources.map(({ name }) => name)).not.toContain("coredns");
});

test("the names of all resources are different within their type", () => {
    const names = graph.resources.map(({ type, name }) => `${type} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("a preview on a machine that has nothing yet shows every resource that the `up` will make", async () => {
    const preview = await clusterGraph(testSpec(), { preview: true });
    const urns = ({ resources }: Run): string[] => resources.map(({ urn }) => urn).sort();
    expect(urns(preview)).toEqual(urns(graph));
});

describe("bring-up", () => {
    const step = (name: string): Registration => find(graph, REMOTE_STEP, name);
    const needs = (name: string, other: Registration): boolean => needsBefore(graph, step(name), other);

    test("a worker's kubelet starts without waiting for the control plane", () => {
        const ofControlPlane = graph.resources.filter(
            ({ type, name }) => type === REMOTE_STEP && name.startsWith("cp-1-"),
        );
        const needed = ofControlPlane.filter((other) => needs("worker-1-kubelet", other)).map(({ name }) => name);
        // Nothing but the machine, which makes the token that the kubelet joins with.
        expect(needed.sort()).toEqual(["cp-1-keys", "cp-1-ready"]);
    });

    test("a kubelet starts after its container runtime and its pod network", () => {
        expect(needs("worker-1-kubelet", step("worker-1-containerd"))).toBe(true);
        expect(needs("worker-1-kubelet", step("worker-1-kubenet"))).toBe(true);
    });

    test("a service starts after its secrets, its machine's keys and its binary are there", () => {
        expect(needs("cp-1-kube-apiserver", step("cp-1-kube-apiserver-secrets"))).toBe(true);
        expect(needs("cp-1-etcd", step("cp-1-keys"))).toBe(true);
        expect(needs("cp-1-etcd", find(graph, "command:local:Command", "cp-1-control-plane-parts"))).toBe(true);
    });

    test("the API server and etcd start at once", () => {
        expect(needs("cp-1-kube-apiserver", step("cp-1-etcd"))).toBe(false);
    });
});

describe("a node's membership of the cluster", () => {
    const membership = (): Registration => find(graph, REMOTE_STEP, "worker-1-node");
    const vm = (name: string): Registration => find(graph, "command:local:Command", name);

    test("is undone before its machine goes: the node is drained and leaves the API", () => {
        expect(membership().dependencies).toContain(vm("worker-1").urn);
        expect(membership().deletedWith).toBe(vm("cp-1").urn);
        expect(inputsOf(membership()).delete).toBe(stepCommand({ user: "root", loginShell: "bash" }, "delete"));
        expect(inputsOf(membership()).stdin).toMatch(
            /\non_delete\(\) \{[^}]* drain worker-1 [^}]* delete node worker-1 /,
        );
    });

    test("is undone and made again when its machine was replaced", () => {
        expect(inputsOf(membership()).triggers).toEqual(["worker-1-id"]);
        expect(inputsOf(membership()).stdin).toContain(`\n# for ${machineId("worker-1")}\n`);
    });
});

describe("the program", () => {
    const program = async (): Promise<Properties> => {
        const module = (await import("../../index")) as unknown as { readonly default: () => Promise<Properties> };
        return module.default();
    };
    const config = { workers: "1", podCidr: "10.50.0.0/16", name: "from-config" };

    test("makes the cluster that the stack config describes and puts out what a person needs", async () => {
        const stack = await run(program, { config });
        expect(tree(stack)[1]).toMatch("kubelab:index:Cluster from-config");
        expect(Object.keys(stack.outputs).sort()).toEqual([
            "apiServer",
            "cluster",
            "kubeconfig",
            "nodes",
            "sshCommands",
        ]);
        expect(isSecret(stack.outputs["kubeconfig"])).toBe(true);
        expect(withoutSecrets(stack.outputs["nodes"])).toEqual([
            { name: "cp-1", role: "control-plane", address: "10.240.0.11", podCidr: "10.50.255.0/24" },
            { name: "worker-1", role: "worker", address: "10.240.0.21", podCidr: "10.50.1.0/24" },
        ]);
    });

    test("makes nothing from a config that is wrong", async () => {
        await expect(run(program, { config: { podCidr: "10.0.0.1/16", wrokers: "3" } })).rejects.toThrow(
            /podCidr.*host bits set[^]*wrokers.*did you mean kubelab:workers/,
        );
    });

    test("goes on with a cluster that is running, and refuses what it can't change, at preview", async () => {
        const { outputs: lastOutputs } = await run(program, { config });
        const more = await run(program, { config: { ...config, workers: "2" }, lastOutputs });
        expect(more.resources.map(({ name }) => name)).toContain("from-config-worker-2");
        const moved = { ...config, podCidr: "10.60.0.0/16" };
        await expect(run(program, { config: moved, lastOutputs, preview: true })).rejects.toThrow(
            /kubelab:podCidr: "10\.60\.0\.0\/16" can't replace "10\.50\.0\.0\/16" while the cluster is running/,
        );
    });
});
