import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Cluster, type ClusterArgs, clusterArgsFromConfig } from "../../components";
import { checkCluster, type ClusterChecks, clusterSpec } from "../../components/check-cluster";
import { REMOTE_STEP } from "../support/graph";
import { type Properties, run, type Run, type RunOptions } from "../support/mocks";
import { unwrap, withoutSecrets } from "../support/secrets";

jest.setTimeout(60_000);

const EXAMPLE = join(__dirname, "../../examples/two-clusters");

/** The example, run as often as it is asked for. */
function example(options: RunOptions = {}): Promise<Run> {
    return run(async () => {
        let exported: Properties = {};
        await jest.isolateModulesAsync(async () => {
            exported = { ...((await import(EXAMPLE)) as Properties) };
        });
        return exported;
    }, options);
}

describe("two clusters in one program", () => {
    let graph: Run;
    beforeAll(async () => {
        graph = await example();
    });

    test("have no resource in common", () => {
        const urns = graph.resources.map(({ urn }) => urn);
        expect(urns.filter((urn, index) => urns.indexOf(urn) !== index)).toEqual([]);
        const names = graph.resources
            .filter(({ type }) => !type.startsWith("pulumi:pulumi:"))
            .map(({ urn }) => urn.split("::")[3] ?? "");
        const count = (name: string): number =>
            names.filter((each) => each === name || each.startsWith(`${name}-`)).length;
        expect(count("blue")).toBe(count("green"));
        expect(count("blue") + count("green")).toBe(names.length);
    });

    test("have no file, no network and no key in common", () => {
        const texts = (name: string): string =>
            JSON.stringify(
                graph.resources
                    .filter(({ urn }) => urn.split("::")[3]?.startsWith(`${name}-`))
                    .map((each) => unwrap(each.inputs)),
            );
        expect(texts("blue")).toContain(".kubelab/test/blue/kubeconfig");
        expect(texts("blue")).toContain(".kubelab/test/blue/ssh/id_ed25519");
        expect(texts("blue")).not.toMatch(/green|10\.246\.2\./);
        expect(texts("green")).not.toMatch(/blue|10\.246\.1\./);
    });

    test("keep the names of their steps on the machines", () => {
        const etcd = graph.resources.find(({ type, name }) => type === REMOTE_STEP && name === "green-cp-1-etcd");
        expect((unwrap(etcd?.inputs) as { stdin: string }).stdin).toContain("\nexport step=cp-1-etcd\n");
    });

    test("put out what a person needs of each", () => {
        expect(withoutSecrets(graph.outputs)).toMatchObject({
            blue: { apiServer: "https://10.246.1.10:6443", kubeconfig: "[secret]", cluster: { component: "blue" } },
            green: { apiServer: "https://10.246.2.10:6443", kubeconfig: "[secret]", cluster: { component: "green" } },
        });
    });

    test("go on as they were built when they run again", async () => {
        const again = await example({ lastOutputs: unwrap(graph.outputs) as Properties, preview: true });
        expect(again.resources.length).toBe(graph.resources.length);
    });
});

describe("a cluster that a program makes", () => {
    const LOCAL: ClusterArgs = { workers: 0, local: { network: "10.246.1.0/24" } };
    const made = (...all: readonly (readonly [name: string, args: ClusterArgs])[]): Promise<Run> =>
        run(() => Object.fromEntries(all.map(([name, args]) => [name, new Cluster(name, args).outputs])));

    test("is made after it has been checked", async () => {
        const registered: string[] = [];
        let before: readonly string[] = ["nothing was checked"];
        await run(
            () => {
                const spec = clusterSpec("blue", LOCAL);
                const checks = new Promise<ClusterChecks>((resolve) =>
                    setTimeout(() => {
                        before = [...registered];
                        resolve({ spec, nodes: [], signsAnew: false, hosts: [] });
                    }, 100),
                );
                return { ...new Cluster("blue", LOCAL, { checks }).outputs };
            },
            { registered: (name) => registered.push(name) },
        );
        expect(before.filter((name) => name.startsWith("blue"))).toEqual(["blue"]);
        expect(registered).toContain("blue-cp-1");
    });

    test("tells all that is wrong with its args, by their names", async () => {
        const args: ClusterArgs = { podCidr: "10.0.0.1/16", local: { network: "10.32.0.0/24" }, serviceProxy: "ipvs" };
        await expect(made(["blue", args])).rejects.toThrow(
            [
                'The args of Cluster "blue" have 3 problems:',
                '  podCidr: "10.0.0.1/16" has host bits set; did you mean 10.0.0.0/16?',
                '  serviceCidr: "10.32.0.0/24" overlaps local.network 10.32.0.0/24; give each a range of its own',
                '  serviceProxy: "ipvs" is kube-router\'s, which isn\'t the pod network; set network to "cni" and cniPlugin to "kube-router", or use "kube-proxy"',
            ].join("\n"),
        );
        await expect(made(["My Lab", {}])).rejects.toThrow(
            `name: "My Lab" is not an RFC 1123 label; it is the component's name, so give the lab another one as name`,
        );
    });

    test("refuses to share a lab, a network or files with another one", async () => {
        await expect(made(["blue", LOCAL], ["green", LOCAL])).rejects.toThrow(
            'local.network: "10.246.1.0/24" is that of Cluster "blue" in the same program; give each its own',
        );
        const green: ClusterArgs = { name: "blue", directory: "files", local: { network: "10.246.2.0/24" } };
        await expect(made(["blue", { ...LOCAL, directory: "files" }], ["green", green])).rejects.toThrow(
            /2 problems:\n {2}name: "blue" is that of .*\n {2}directory: "files" is that of /,
        );
    });

    test("makes nothing where a check fails, and ends with what that said", () => {
        const main = join(__dirname, "../support/failing-checks.ts");
        const { stdout } = spawnSync(process.execPath, ["--require", "tsx/cjs", main], {
            encoding: "utf8",
            timeout: 60_000,
        });
        expect(JSON.parse(stdout)).toEqual({
            registered: ["kubelab-test", "blue"],
            failures: ["the hosts aren't ready"],
        });
    });

    test("refuses what a running cluster can't change, at preview, by what its program put out", async () => {
        const last = { name: "blue", network: "kubenet", podCidr: "10.50.0.0/16", component: "blue" } as const;
        const checked = run(async () => ({ ...(await checkCluster("blue", LOCAL, { cluster: last })) }), {
            preview: true,
        });
        await expect(checked).rejects.toThrow(
            /The args of Cluster "blue" have one problem:\n {2}podCidr: "10\.99\.0\.0\/16" can't replace "10\.50\.0\.0\/16" while/,
        );
    });

    test("takes its args from the config of the stack", async () => {
        const config = { workers: "1", components: '{"dns":false}', hosts: "", name: "from-config" };
        const { outputs } = await run(() => ({ args: clusterArgsFromConfig() }), { config });
        expect(outputs["args"]).toEqual({
            workers: 1,
            components: { dns: false },
            hosts: "",
            name: "from-config",
            directory: ".kubelab/test",
        });
        await expect(run(() => ({ args: clusterArgsFromConfig() }), { config: { directory: "x" } })).rejects.toThrow(
            "kubelab:directory: is no key of the config",
        );
    });
});
