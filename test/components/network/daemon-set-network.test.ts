import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { daemonSets, networkManifests, type NetworkDaemon } from "../../../components/network/daemon-set";
import { routesToOthers } from "../../../components/network/daemon-set-network";
import { flannelDaemon, flannelNetwork } from "../../../components/network/flannel";
import { kubeRouterDaemon } from "../../../components/network/kube-router";
import { parseClusterSpec } from "../../../components/cluster-spec";
import { READ_LIBRARY } from "../../../components/steps/script";
import type { ClusterSpec } from "../../../components/cluster-spec/types";
import { bash, shellcheck, temporaryDirectory, testWith, wholeScript, withLibrary } from "../../support/bash";
import { clusterGraph, fileOf, find, flagIn, REMOTE_STEP, remoteSteps, script } from "../../support/graph";
import { machineId, type Run, shortNameOf } from "../../support/mocks";
import { testSpec, UNUSUAL, VERSIONS } from "../../support/spec";

jest.setTimeout(60_000);

const PLUGINS = ["flannel", "kube-router"] as const;
const DAEMONS = { flannel: flannelDaemon, "kube-router": kubeRouterDaemon };
const specFor = (cniPlugin: string, config: object = {}): ClusterSpec =>
    testSpec({ network: "cni", cniPlugin, ...config });

describe.each(PLUGINS)("%s", (plugin) => {
    const daemon = (config: object = {}): NetworkDaemon => DAEMONS[plugin](specFor(plugin, config));
    let graph: Run;
    beforeAll(async () => {
        graph = await clusterGraph(specFor(plugin));
    });

    test("the manifests", () => {
        const objects = networkManifests(specFor(plugin), daemon());
        expect(objects.map((object) => stringify(object)).join("---\n")).toMatchSnapshot();
        expect(objects.map(({ kind }) => kind).indexOf("ServiceAccount")).toBe(0);
        expect(objects.at(-1)?.kind).toBe("DaemonSet");
    });

    test("what a node gets", () => {
        const text = script(graph, "worker-1-" + plugin);
        expect(text.slice(0, text.indexOf("\nset_"))).toContain("on_create() {");
        expect(text.slice(0, text.indexOf(READ_LIBRARY))).toMatchSnapshot();
    });

    test("one more worker changes nothing of the manifests", () => {
        const objects = (workers: number): object =>
            networkManifests(specFor(plugin, { workers }), daemon({ workers }));
        expect(objects(5)).toEqual(objects(2));
    });

    test("changed manifests are waited for", async () => {
        const versions = plugin === "flannel" ? { flannel: "0.28.4" } : { kubeRouter: "2.9.1" };
        const other = await clusterGraph(specFor(plugin, { versions }));
        expect(script(other, `${plugin}-running`)).not.toBe(script(graph, `${plugin}-running`));
    });

    test("it reaches the API by the endpoint's own name, never through a service", () => {
        const environment = JSON.stringify(networkManifests(specFor(plugin, UNUSUAL), daemon(UNUSUAL)));
        expect(environment).toContain('{"name":"KUBERNETES_SERVICE_HOST","value":"api.test"}');
        expect(environment).not.toContain('192.168.128.1"');
    });

    test("its pods start while the nodes can't be Ready, and only then do steps wait for the nodes", () => {
        const dependencies = (name: string): readonly string[] =>
            find(graph, REMOTE_STEP, name).dependencies.map(shortNameOf);
        expect(dependencies(plugin)).toEqual(expect.arrayContaining(["cp-1-kube-apiserver"]));
        expect(dependencies(plugin).filter((name) => name.endsWith("-node"))).toEqual([]);
        expect(dependencies("worker-1-kubelet")).toContain(`worker-1-${plugin}`);
        expect(dependencies(`${plugin}-running`)).toContain(plugin);
        expect(dependencies("worker-2-pod-routes")).toEqual(
            expect.arrayContaining([`${plugin}-running`, "cp-1-node", "worker-1-node", "worker-2-node"]),
        );
        expect(dependencies("coredns")).toEqual(expect.arrayContaining(["cp-1-pod-routes", "worker-2-pod-routes"]));
    });

    test("the controller manager allocates the nodes' pod CIDRs, and nobody tells of others", () => {
        expect(script(graph, "worker-1-node")).not.toContain("podCIDR");
        expect(script(graph, "cp-1-kube-controller-manager")).toContain("--allocate-node-cidrs=true");
        expect(graph.outputs["nodes"]).toEqual([
            { name: "cp-1", role: "control-plane", address: "10.240.0.11" },
            { name: "worker-1", role: "worker", address: "10.240.0.21" },
            { name: "worker-2", role: "worker", address: "10.240.0.22" },
        ]);
    });

    test("every step goes to its machine, and is forgotten with it", () => {
        for (const name of [`worker-2-${plugin}`, "worker-2-pod-routes"]) {
            const found = find(graph, REMOTE_STEP, name);
            expect(found.deletedWith).toBe(find(graph, "command:local:Command", "worker-2").urn);
            expect(script(graph, name)).toContain(machineId("worker-2"));
        }
    });

    testWith("shellcheck")("has nothing against its scripts", () => {
        // One worker's are another's.
        const own = remoteSteps(graph).filter(
            ({ name }) => /flannel|kube-router|pod-routes/.test(name) && !name.includes("worker-2"),
        );
        const scripts = Object.fromEntries(own.map(({ name }) => [name, withLibrary(script(graph, name))]));
        const config = fileOf(graph, `worker-1-${plugin}`, "/usr/local/lib/kubelab/cni-config");
        expect(Object.keys(scripts)).toHaveLength(6);
        expect(shellcheck({ ...scripts, "cni-config": config })).toBe("");
    });
});

describe("the CNI configuration of a node", () => {
    const directory = temporaryDirectory();
    afterAll(directory.remove);

    /** Runs a node's script on files below the directory instead of the machine's. */
    async function configured(plugin: string, source: string, content: string): Promise<unknown> {
        const graph = await clusterGraph(specFor(plugin));
        const text = fileOf(graph, `worker-1-${plugin}`, "/usr/local/lib/kubelab/cni-config");
        const moved = text.replaceAll(/(?<=[\s"=])\/(run|etc)\//g, `${directory.path}/$1/`);
        const file = join(directory.path, source);
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, content);
        expect(bash(moved)).toEqual({ status: 0, stdout: "", stderr: "" });
        const config = join(directory.path, `etc/cni/net.d/10-${plugin}.conflist`);
        try {
            return JSON.parse(readFileSync(config, "utf8"));
        } catch {
            return undefined;
        }
    }

    test("has the subnet and the packet size that flannel tells", async () => {
        const told =
            "FLANNEL_NETWORK=10.99.0.0/16\nFLANNEL_SUBNET=10.99.2.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
        expect(await configured("flannel", "run/flannel/subnet.env", told)).toMatchObject({
            name: "flannel",
            plugins: [
                {
                    type: "bridge",
                    bridge: "cni0",
                    mtu: 1450,
                    hairpinMode: true,
                    ipMasq: false,
                    ipam: { type: "host-local", ranges: [[{ subnet: "10.99.2.0/24", gateway: "10.99.2.1" }]] },
                },
                { type: "portmap" },
            ],
        });
    });

    test("isn't there until kube-router has put the subnet in, and then is what it wrote", async () => {
        const graph = await clusterGraph(specFor("kube-router"));
        const draft = fileOf(graph, "worker-1-kube-router", "/usr/local/lib/kubelab/kube-router.conflist");
        expect(await configured("kube-router", "run/kube-router/cni.conflist", draft)).toBeUndefined();
        const finished = draft.replace('"ranges": []', '"ranges": [[{"subnet": "10.99.2.0/24"}]]');
        expect(finished).not.toBe(draft);
        expect(await configured("kube-router", "run/kube-router/cni.conflist", finished)).toMatchObject({
            plugins: [
                { bridge: "kube-bridge", hairpinMode: true, ipam: { ranges: [[{ subnet: "10.99.2.0/24" }]] } },
                {},
            ],
        });
    });
});

test("flannel routes inside one subnet, and tunnels as the overlay says", () => {
    const backend = (overlay: string): unknown => flannelNetwork(specFor("flannel", { overlay }));
    expect(backend("none")).toMatchObject({ Network: "10.99.0.0/16", Backend: { Type: "host-gw" } });
    expect(backend("subnet")).toMatchObject({ Backend: { Type: "vxlan", DirectRouting: true } });
    expect(backend("full")).toMatchObject({ Backend: { Type: "vxlan" } });
});

test("kube-router has the spec's ranges, overlay and service proxy", () => {
    const args = (config: object): readonly string[] =>
        daemonSets(kubeRouterDaemon(specFor("kube-router", config))).flatMap((set) => set.args);
    expect(args(UNUSUAL)).toContain("--service-cluster-ip-range=192.168.128.0/20");
    expect(args({})).toEqual(expect.arrayContaining(["--enable-overlay=false", "--run-service-proxy=false"]));
    expect(args({ overlay: "full" })).toEqual(expect.arrayContaining(["--enable-overlay=true", "--overlay-type=full"]));
});

test("without an overlay a node behind a router is refused before anything is changed", async () => {
    const create = script(await clusterGraph(specFor("flannel")), "worker-1-flannel");
    const check = create.split("\n").findIndex((line) => line.includes("ip -o route get 10.240.0.22"));
    expect(check).toBeGreaterThan(0);
    expect(check).toBeLessThan(create.split("\n").findIndex((line) => /^(put|plan) /.test(line)));
    const tunnelled = await clusterGraph(specFor("flannel", { overlay: "full" }));
    expect(script(tunnelled, "worker-1-flannel")).not.toContain("route get");
});

test.each([
    ["enough", "10.99.1.0/24 via 10.240.0.21 dev eth0 \n10.99.2.0/24 via 10.240.0.22 dev eth0 proto 17 \n", 0],
    ["too few", "10.99.1.0/24 via 10.240.0.21 dev eth0 proto 17 \n10.99.0.0/24 dev cni0 proto kernel scope link \n", 1],
])("routes to other nodes: %s", (_how, routes, status) => {
    const statements = routesToOthers({ podCidr: "10.99.0.0/16" }, 3).map((line) =>
        line.replace("within 300", "within 0"),
    );
    const fake = `ip() { printf '%s' '${routes}'; }`;
    expect(bash(wholeScript({ create: [fake, ...statements] }), ["create"]).status).toBe(status);
});

test.each([
    [
        "ip_vs",
        { cniPlugin: "kube-router", serviceProxy: "ipvs" },
        "kubelab:serviceProxy 'ipvs' needs it: use 'kube-proxy'",
    ],
    ["ipip", { cniPlugin: "kube-router", overlay: "full" }, "kubelab:overlay needs it unless it is 'none'"],
    ["vxlan", { cniPlugin: "flannel", overlay: "subnet" }, "kubelab:overlay needs it unless it is 'none'"],
] as const)(
    "a kernel without %s is refused by the node's first step, before anything is changed",
    async (module, config, remedy) => {
        const { serviceProxy: proxy, ...rest } = { serviceProxy: "kube-proxy" as const, ...config };
        const serviceProxy = { "control-plane": proxy, worker: proxy };
        const graph = await clusterGraph({ ...testSpec({ network: "cni", ...rest }), serviceProxy });
        const statements = script(graph, "cp-1-ready").split("\n");
        const first = (found: (line: string) => boolean): number => statements.findIndex(found);
        expect(first((line) => line.includes(`the kernel lacks ${module}: ${remedy}`))).toBeGreaterThan(0);
        for (const change of [/^(put|plan) /, /cluster$/]) {
            expect(first((line) => change.test(line))).toBeGreaterThan(
                first((line) => line.includes("the kernel lacks")),
            );
        }
        expect(fileOf(graph, `worker-1-${rest.cniPlugin}`, "/etc/modules-load.d/kubelab-network.conf")).toBe(
            `${module}\n`,
        );
        const missing = statements.filter((line) => /modprobe -q|the kernel lacks/.test(line) && line.includes(module));
        const without = [
            "ip() { false; }",
            "modprobe() { false; }",
            ...missing.map((line) => line.replace("/proc/net", "/nowhere")),
        ];
        const { status, stderr } = bash(wholeScript({ create: without }), ["create"]);
        expect(status).toBe(1);
        expect(stderr).toContain(`the kernel lacks ${module}`);
        expect(
            bash(
                wholeScript({
                    create: ["ip() { true; }", ...missing.map((line) => line.replace("/proc/net/ip_vs", "/proc"))],
                }),
                ["create"],
            ).status,
        ).toBe(0);
    },
);

test("kube-proxy and IPVS never both run", async () => {
    const ipvs = parseClusterSpec(
        { network: "cni", serviceProxy: "ipvs" },
        { stack: "test", kernelModules: () => true, pinnedVersions: VERSIONS },
    );
    const graph = await clusterGraph(ipvs);
    expect(
        remoteSteps(graph)
            .map(({ name }) => name)
            .filter((name) => name.includes("kube-proxy")),
    ).toEqual([]);
    const manifests = script(graph, "kube-router").split("<<'KUBELAB_MANIFESTS'\n")[1]?.split("KUBELAB_MANIFESTS")[0];
    const documents = parseAllDocuments(manifests ?? "").map((document) => JSON.stringify(document.toJS()));
    expect(documents.join()).toContain("--run-service-proxy=true");
    expect(
        flagIn(fileOf(graph, "cp-1-kube-apiserver", "/etc/systemd/system/kube-apiserver.service"), "allow-privileged"),
    ).toBe("true");
    const proxied = await clusterGraph(testSpec({ network: "cni", serviceProxy: "kube-proxy" }));
    expect(proxied.resources.map(({ name }) => name)).toContain("worker-1-kube-proxy");
    expect(script(proxied, "kube-router")).toContain("--run-service-proxy=false");
});

test("IPVS on virtual machines, kube-proxy on containers whose kernel has none: two DaemonSets, by the nodes' names", async () => {
    const spec = testSpec({
        network: "cni",
        serviceProxy: { controlPlanes: "kube-proxy", workers: "ipvs" },
        local: { driver: { controlPlanes: "nspawn", workers: "qemu" } },
    });
    const sets = networkManifests(spec, kubeRouterDaemon(spec)).filter(({ kind }) => kind === "DaemonSet");
    expect(sets).toMatchSnapshot();
    const graph = await clusterGraph(spec);
    const names = remoteSteps(graph).map(({ name }) => name);
    expect(names.filter((name) => name.includes("kube-proxy"))).toEqual(["cp-1-kube-proxy"]);
    expect(JSON.stringify(script(graph, "cp-1-keys"))).toContain("kube-proxy");
    // Nothing on it has a key that it doesn't make by itself.
    expect(names).not.toContain("worker-1-keys");
    expect(script(graph, "cp-1-ready")).not.toContain("lacks ip_vs");
    expect(script(graph, "worker-1-ready")).toContain("lacks ip_vs");
    for (const set of ["kube-router-control-planes", "kube-router-workers"]) {
        expect(script(graph, "kube-router-running")).toContain(`rollout status daemonset/${set} `);
    }
});
