import { parseAllDocuments } from "yaml";
import { readOptions, subjectsFor } from "../../../scripts/cli/bench";
import { growthOf } from "../../../scripts/cli/bench/growth";
import { initConfiguration, joinConfiguration, type KubeadmArgs } from "../../../scripts/cli/bench/kubeadm-files";
import { spread } from "../../../scripts/cli/bench/numbers";
import { ratioToKubeadm, renderReport, type Report } from "../../../scripts/cli/bench/report";
import { FACTS, testSpec } from "../../support/spec";

const CONTAINERS = { "control-plane": "nspawn", worker: "nspawn" } as const;
const FLAGS = { stack: "kubenet", runs: "3", workers: "1,2,4", network: "10.231.0.0/24" };

describe("the options", () => {
    test("are everything there is by default, without the race", () => {
        expect(readOptions(FLAGS)).toEqual({
            runs: 3,
            subjects: undefined,
            kubeadm: false,
            workers: [1, 2, 4],
            network: "10.231.0.0/24",
            json: undefined,
        });
    });

    test.each([
        [{ runs: "0" }, "--runs 0"],
        [{ runs: "two" }, "--runs two"],
        [{ against: "kind" }, "--against kind: it can be kubeadm"],
        [{ workers: "2,1" }, "--workers 2,1: ascending"],
        [{ workers: "2,x" }, "--workers 2,x"],
        [{ network: "10.231.0.0" }, "--network 10.231.0.0"],
        [{ only: ["everything"] }, "--only everything: any of phases, growth, throughput"],
    ])("that are wrong are named: %j", (wrong, words) => {
        expect(() => readOptions({ ...FLAGS, ...wrong })).toThrow(words);
    });
});

describe("what is measured", () => {
    test("is everything with two workers, and phases alone with fewer", () => {
        expect(subjectsFor(2, CONTAINERS, undefined)).toEqual(["phases", "growth", "throughput"]);
        expect(subjectsFor(0, CONTAINERS, undefined)).toEqual(["phases"]);
    });

    test("is what was asked for, but no throughput between workers that aren't there", () => {
        expect(subjectsFor(2, CONTAINERS, ["growth"])).toEqual(["growth"]);
        expect(subjectsFor(0, CONTAINERS, ["growth"])).toEqual(["growth"]);
        expect(() => subjectsFor(1, CONTAINERS, ["phases", "throughput"])).toThrow("--only throughput");
    });

    test("is no throughput of virtual machines, whose network namespaces are not this host's", () => {
        const drivers = { "control-plane": "nspawn", worker: "qemu" } as const;
        expect(subjectsFor(2, drivers, undefined)).toEqual(["phases", "growth"]);
        expect(() => subjectsFor(2, drivers, ["throughput"])).toThrow(
            "--only throughput: it is measured in the workers' network namespaces; virtual machines have none on this host",
        );
    });
});

describe("the middle of several runs", () => {
    test("is the middle one, or the mean of the middle two", () => {
        expect(spread([5, 1, 3])).toEqual({ minimum: 1, median: 3, maximum: 5 });
        expect(spread([4, 1, 2, 9])).toEqual({ minimum: 1, median: 3, maximum: 9 });
    });

    test("needs runs", () => {
        expect(() => spread([])).toThrow("no values");
    });
});

test("growth is what each worker adds, from size to size", () => {
    const sizes = [
        { workers: 1, steps: 40, bytesPerWorker: [100], seconds: 1 },
        { workers: 2, steps: 50, bytesPerWorker: [100, 102], seconds: 1 },
        { workers: 4, steps: 74, bytesPerWorker: [100, 100, 100, 104], seconds: 1 },
    ];
    expect(growthOf(sizes)).toMatchObject({ stepsPerWorker: [10, 12], bytesPerWorker: [100, 101, 101] });
});

describe("kubeadm's configuration", () => {
    const spec = testSpec();
    const args: KubeadmArgs = {
        spec,
        facts: FACTS,
        token: "abcdef.0123456789abcdef",
        endpoint: "10.0.0.11:6443",
    };
    const [first, second] = spec.nodes;
    if (first === undefined || second === undefined) {
        throw new Error("two nodes");
    }

    test("of the first node has the cluster's own ranges and versions, and the images that are imported", () => {
        const documents = parseAllDocuments(initConfiguration(first, "10.0.0.11", args)).map(
            (each) => each.toJS() as Record<string, unknown>,
        );
        expect(documents.map(({ kind }) => kind)).toEqual([
            "InitConfiguration",
            "ClusterConfiguration",
            "KubeletConfiguration",
            "KubeProxyConfiguration",
        ]);
        expect(documents[1]).toMatchObject({
            kubernetesVersion: `v${spec.versions.kubernetes}`,
            networking: { podSubnet: spec.podCidr, serviceSubnet: spec.serviceCidr },
            etcd: { local: { imageTag: `${spec.versions.etcd}-0` } },
            dns: { imageTag: `v${spec.versions.coredns}` },
        });
        expect(documents[2]).toMatchObject({ cgroupDriver: "cgroupfs", failCgroupV1: false, failSwapOn: false });
        expect(documents[3]).toMatchObject({ mode: spec.proxyMode, conntrack: { maxPerCore: 0 } });
    });

    test("of the others has the token and the API server's address", () => {
        const [document] = parseAllDocuments(joinConfiguration(second, "10.0.0.21", args));
        expect(document?.toJS()).toMatchObject({
            kind: "JoinConfiguration",
            discovery: { bootstrapToken: { token: args.token, apiServerEndpoint: "10.0.0.11:6443" } },
            nodeRegistration: { name: second.name },
        });
    });
});

describe("the report", () => {
    const phases = {
        machines: 3,
        push: 4,
        etcd: 5,
        "API server": 7,
        "nodes Ready": 10,
        "all of up": 12,
        "web answering": 14,
    };
    const report: Report = {
        date: "2026-11-21T12:00:00.000Z",
        engine: "3.248.0",
        stack: "bench-kubenet",
        host: {
            processor: "a processor",
            cores: 2,
            memoryGiB: 24,
            kernel: "6.18",
            cgroup: "v1",
            system: "Debian",
            node: "v20",
        },
        versions: { kubernetes: "1.36.3" },
        workers: 2,
        drivers: { "control-plane": "nspawn", worker: "qemu" },
        runs: [{ phases, noop: 1, oneMoreWorker: 5, down: 2 }],
        kubeadm: [
            { machines: 3, init: 9, joins: 8, total: 20 },
            { machines: 3, init: 10, joins: 8, total: 21 },
        ],
    };

    test("says what was measured where, by which engine", () => {
        expect(renderReport(report)).toContain("by Pulumi 3.248.0, 2026-11-21");
        expect(renderReport(report)).toContain("a processor, 2 cores, 24 GiB; Linux 6.18, cgroup v1");
        expect(renderReport(report)).toContain("machines by the driver {controlPlanes: nspawn, workers: qemu}");
        expect(renderReport(report)).toMatch(/from none: nodes Ready +10\.0 +10\.0 +10\.0/);
    });

    test("leaves out the web service where a cluster can have none", () => {
        const { "web answering": web, ...without } = phases;
        expect(web).toBe(14);
        const runs = [{ phases: without, noop: 1, oneMoreWorker: 5, down: 2 }];
        expect(renderReport(report)).toContain("web answering");
        expect(renderReport({ ...report, runs })).not.toContain("web answering");
    });

    test("gives the ratio of the medians", () => {
        expect(ratioToKubeadm(report.runs ?? [], report.kubeadm ?? [])).toBeCloseTo(10 / 20.5);
        expect(renderReport(report)).toContain("kubelab needs 0.49 of kubeadm's time");
    });
});
