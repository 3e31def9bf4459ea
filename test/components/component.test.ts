import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { Component } from "../../components/component";
import { nodeOf, PHASES, phaseOf } from "../../components/phases";
import { clusterGraph } from "../support/graph";
import { run, type Run } from "../support/mocks";
import { testSpec } from "../support/spec";
import { urnOf } from "../support/urns";

jest.setTimeout(60_000);

class Sample extends Component {
    constructor(child: string) {
        super("kubelab:test:Sample", "blue", {});
        new random.RandomId(child, { byteLength: 1 }, { parent: this });
    }
}

/** What a component puts out, by its type: the fields of its class. */
const MACHINE = ["address", "hostKey", "machineId", "name", "privateAddress", "role", "user"];
const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
    "kubelab:machines:LocalMachine": MACHINE,
    "kubelab:machines:AwsMachine": MACHINE,
    "kubelab:pki:Pki": ["etcd", "frontProxy", "kubernetes", "serviceAccounts"],
    "kubelab:pki:CertificateAuthority": ["certPem", "keyPem"],
    "kubelab:network:Kubenet": ["ready"],
    "kubelab:node:Node": ["kubelet"],
    "kubelab:node:Containerd": ["ready"],
    "kubelab:node:Kubelet": ["ready"],
    "kubelab:node:KubeProxy": ["ready"],
    "kubelab:control-plane:ControlPlane": ["api"],
    "kubelab:control-plane:Etcd": ["ready"],
    "kubelab:control-plane:ApiServer": ["ready"],
    "kubelab:control-plane:ControllerManager": ["ready"],
    "kubelab:control-plane:Scheduler": ["ready"],
};

const AWS = { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"] } };

describe("a component", () => {
    test("takes what has its name before its own", async () => {
        await expect(run(() => ({ sample: new Sample("blue-key").urn }))).resolves.toBeDefined();
    });

    test.each(["green-key", "bluekey", "key"])("refuses %p in it", async (name) => {
        await expect(run(() => ({ sample: new Sample(name).urn }))).rejects.toThrow(`"${name}"`);
    });
});

describe.each([
    ["local", {}],
    ["aws", AWS],
])("a cluster's components, provider %s", (_, config) => {
    let graph: Run;
    beforeAll(async () => {
        graph = await clusterGraph(testSpec(config), { component: { protect: true } });
    });

    test("register what their classes have", () => {
        const components = graph.resources.filter(({ custom, type }) => !custom && type in OUTPUTS);
        expect(components.length).toBeGreaterThan(10);
        for (const { urn, type } of components) {
            expect([type, Object.keys(graph.componentOutputs.get(urn) ?? {}).sort()]).toEqual([type, OUTPUTS[type]]);
        }
    });

    test("pass on whether they are protected, to every resource", () => {
        const others = graph.resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
        expect(others.filter((resource) => !resource.protect).map(({ urn }) => urn)).toEqual([]);
    });

    test("have the cluster's name before every name", () => {
        const names = graph.resources
            .filter(({ type }) => type !== "pulumi:pulumi:Stack")
            .map((resource) => urnOf(resource, graph).split("::")[3] ?? "");
        expect(names.filter((name) => name !== "test" && !name.startsWith("test-"))).toEqual([]);
    });

    test("are in a phase and of a node as far as they are commands", () => {
        const nodes = ["cp-1", "worker-1", "worker-2"];
        const commands = graph.resources.filter(({ type }) => type.startsWith("command:"));
        const placed = commands.map((resource) => {
            const urn = urnOf(resource, graph);
            return [resource.name, phaseOf(urn), nodeOf(urn, "test", nodes)] as const;
        });
        expect(placed.filter(([, phase]) => phase === undefined).map(([name]) => name)).toEqual(["client-files"]);
        expect(placed).toContainEqual(["worker-1-kubelet", "containerd, kubelet, kube-proxy", "worker-1"]);
        expect(placed).toContainEqual(["cp-1-etcd", "etcd", "cp-1"]);
        expect(placed).toContainEqual(["cp-1-keys", "keys and certificates", "cp-1"]);
        expect(placed).toContainEqual(["coredns", "add-ons", undefined]);
        const seen = new Set(graph.resources.map((resource) => phaseOf(urnOf(resource, graph))));
        expect(PHASES.filter((phase) => !seen.has(phase))).toEqual([]);
    });
});

test("providers of the options are those of all resources of their packages, and no other one is made", async () => {
    const spec = testSpec(AWS);
    const graph = await run(async () => {
        const { bringUp } = await import("../../components/bring-up");
        const { Provider } = await import("@pulumi/aws/provider");
        const { Provider: Command } = await import("@pulumi/command");
        const providers = {
            aws: new Provider("mine"),
            tls: new tls.Provider("mine"),
            command: new Command("mine"),
            random: new random.Provider("mine"),
        };
        class Given extends Component {
            constructor(options: pulumi.ComponentResourceOptions) {
                super("kubelab:index:Cluster", "test", options);
            }
        }
        return {
            ...bringUp(
                { spec, directory: "files", running: [], signsAnew: false, hosts: [] },
                new Given({ providers }),
            ),
        };
    });
    const own = graph.resources.filter(({ type }) => /^(aws|tls|command|random):/.test(type));
    expect(own.length).toBeGreaterThan(60);
    expect(own.filter(({ provider }) => !/::mine::/.test(provider)).map(({ urn }) => urn)).toEqual([]);
    const providers = graph.resources.filter(({ type }) => type.startsWith("pulumi:providers:"));
    expect(providers.map(({ name }) => name)).toEqual(["mine", "mine", "mine", "mine"]);
});
