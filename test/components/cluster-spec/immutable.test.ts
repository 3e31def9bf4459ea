import {
    formatProblem,
    keptForLife,
    type RawConfig,
    refuseImmutableChange,
    runningCluster,
    type RunningCluster,
} from "../../../components/cluster-spec";
import type { KernelProbe } from "../../../components/cluster-spec/service-proxy";
import { specOf } from "./support";

const RUNNING: RunningCluster = {
    name: "kubenet",
    network: "kubenet",
    hosting: "systemd",
    podCidr: "10.99.0.0/16",
    serviceCidr: "10.32.0.0/24",
    clusterDomain: "cluster.local",
};

test("nothing is refused where no cluster is running", () => {
    expect(refuseImmutableChange(undefined, specOf({ podCidr: "10.98.0.0/16" }))).toEqual([]);
});

test("what a running cluster can follow is not refused", () => {
    expect(refuseImmutableChange(RUNNING, specOf({ workers: 5, proxyMode: "iptables" }))).toEqual([]);
});

test("every setting that a running cluster can't follow is refused with its reason", () => {
    const next = specOf({
        name: "blue",
        podCidr: "10.98.0.0/16",
        serviceCidr: "10.33.0.0/24",
        clusterDomain: "example.internal",
    });
    expect(refuseImmutableChange({ ...RUNNING, network: "cni" }, next).map(formatProblem)).toEqual([
        'kubelab:name: "blue" can\'t replace "kubenet" while the cluster is running: certificates, kubeconfigs and machines carry the name; set it back to "kubenet", or destroy the cluster first',
        'kubelab:network: "kubenet" can\'t replace "cni" while the cluster is running: running pods keep the network they were started on; set it back to "cni", or destroy the cluster first',
        'kubelab:podCidr: "10.98.0.0/16" can\'t replace "10.99.0.0/16" while the cluster is running: a node\'s pod CIDR can\'t be changed once it is set, and running pods keep their addresses; set it back to "10.99.0.0/16", or destroy the cluster first',
        'kubelab:serviceCidr: "10.33.0.0/24" can\'t replace "10.32.0.0/24" while the cluster is running: services keep their addresses and the certificates name the first one; set it back to "10.32.0.0/24", or destroy the cluster first',
        'kubelab:clusterDomain: "example.internal" can\'t replace "cluster.local" while the cluster is running: running pods keep the search domain they were started with; set it back to "cluster.local", or destroy the cluster first',
    ]);
});

test("a local lab keeps its range, and any cluster its provider", () => {
    const running = keptForLife(specOf({ local: { network: "10.241.0.0/24" } }));
    const refused = (config: RawConfig): string[] =>
        refuseImmutableChange(running, specOf(config)).map(({ key, value }) => `${key}: ${String(value)}`);
    expect(refused({ local: { network: "10.242.0.0/24" } })).toEqual(["local.network: 10.242.0.0/24"]);
    expect(refused({ local: { network: "10.241.0.0/24", registryPort: 5001 } })).toEqual([]);
    expect(refused({ provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"] } })).toEqual(["provider: aws"]);
});

test("a cluster on hosts keeps the name of its first control plane; others come and go", () => {
    const host = (name: string, position: number, role = "control-plane") => ({
        ...{ name, role, address: `192.168.1.${position}`, user: "admin", keyFile: "/home/admin/id" },
        hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDK9pDHcXpUSzBLF9bKpm4rKZ6Q1nG0w3Kp7hN9cXyZa",
    });
    const on = (...hosts: readonly object[]) =>
        specOf({ provider: "hosts", hosts, apiEndpoint: { address: "192.168.1.5" } });
    const running = runningCluster(on(host("one", 11), host("two", 12), host("three", 13)));
    const refused = (...hosts: readonly object[]): string[] =>
        refuseImmutableChange(running, on(...hosts)).map(formatProblem);
    expect(refused(host("worker", 21, "worker"), host("one", 14), host("four", 15), host("three", 13))).toEqual([]);
    expect(refused(host("two", 12), host("one", 11), host("three", 13))).toEqual([
        'kubelab:hosts: "two" can\'t replace "one" while the cluster is running: the first control plane began it, and keeps what the steps by kubectl need; a host that replaces it gets its name; set it back to "one", or destroy the cluster first',
    ]);
});

test("a cluster on AWS keeps its region, its VPC, its architecture and its control plane's zone", () => {
    const aws = (settings: object) =>
        specOf({ provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"], ...settings } });
    const running = keptForLife(aws({ availabilityZones: ["eu-central-1b"] }));
    const refused = (settings: object): string[] =>
        refuseImmutableChange(running, aws(settings)).map(({ key, value }) => `${key}: ${String(value)}`);
    expect(refused({ availabilityZones: ["eu-central-1b", "eu-central-1c"], volumeSize: 30 })).toEqual([]);
    expect(refused({ region: "us-east-1", network: "10.50.0.0/16", architecture: "arm64" })).toEqual([
        "aws.region: us-east-1",
        "aws.network: 10.50.0.0/16",
        "aws.architecture: arm64",
        "aws.availabilityZones[0]: us-east-1a",
    ]);
});

describe("the versions of a running cluster", () => {
    const running = { versions: { kubernetes: "1.35.4", etcd: "3.6.1" } };
    const refused = (versions: object): string[] =>
        refuseImmutableChange(running, specOf({ versions })).map(formatProblem);

    test("can become others of the same minor version, or of the next", () => {
        expect(refused({ kubernetes: "1.35.1", etcd: "3.6.9" })).toEqual([]);
        expect(refused({ kubernetes: "1.36.0", etcd: "3.7.0" })).toEqual([]);
    });

    test("can't become older, nor skip one: upstream's rule is told", () => {
        const skew = "https://kubernetes.io/releases/version-skew-policy/";
        expect(refused({ kubernetes: "1.34.9", etcd: "3.5.0" })).toEqual([
            `kubelab:versions.kubernetes: "1.34.9" is older than the 1.35.4 that is running, and what that has stored may be unreadable to it; use 1.35 or 1.36: ${skew}, or destroy the cluster first`,
            'kubelab:versions.etcd: "3.5.0" is older than the 3.6.1 that is running, and what that has stored may be unreadable to it; use 3.6 or 3.7: https://etcd.io/docs/v3.6/upgrades/, or destroy the cluster first',
        ]);
        const next = specOf({});
        expect(refuseImmutableChange({ versions: { kubernetes: "1.34.0" } }, next).map(formatProblem)).toEqual([
            `kubelab:versions.kubernetes: "1.36.3" skips minor versions after the 1.34.0 that is running; use 1.34 or 1.35: ${skew}, or destroy the cluster first`,
        ]);
    });

    test("are what a run tells the next one", () => {
        expect(runningCluster(specOf({ versions: { kubernetes: "1.35.4" } })).versions).toEqual({
            kubernetes: "1.35.4",
            etcd: "3.7.3",
        });
    });
});

const MIXED = { controlPlanes: "nspawn", workers: "qemu" };

describe("a cluster with a CNI plugin", () => {
    const running = keptForLife(specOf({ name: "kubenet", network: "cni" }));
    const refused = (config: RawConfig, modules: KernelProbe = () => false): string[] =>
        refuseImmutableChange(running, specOf({ name: "kubenet", network: "cni", ...config }, "kubenet", modules)).map(
            ({ key, value }) => `${key}: ${String(value)}`,
        );

    test("keeps its plugin, its overlay and who implements services", () => {
        expect(refused({ cniPlugin: "flannel", overlay: "full" })).toEqual(["cniPlugin: flannel", "overlay: full"]);
        expect(refused({ serviceProxy: "ipvs" }, () => true)).toEqual(["serviceProxy: ipvs"]);
        expect(refused({ serviceProxy: "kube-proxy", proxyMode: "iptables" }, () => true)).toEqual([]);
        expect(refused({ components: { kubeProxy: false } })).toEqual([]);
    });

    test("keeps who implements services on the nodes of each role", () => {
        const config = { name: "kubenet", network: "cni", serviceProxy: { workers: "ipvs" }, local: { driver: MIXED } };
        const before = runningCluster(specOf(config));
        expect(before.serviceProxy).toBe("{controlPlanes: kube-proxy, workers: ipvs}");
        const left = specOf({ ...config, serviceProxy: "auto" }, "kubenet", () => false, before);
        expect(left.serviceProxy).toEqual({ "control-plane": "kube-proxy", worker: "ipvs" });
        expect(refuseImmutableChange(before, left)).toEqual([]);
        const other = specOf({ ...config, serviceProxy: "kube-proxy" });
        expect(refuseImmutableChange(before, other).map(({ key }) => key)).toEqual(["serviceProxy"]);
    });

    test("keeps what auto has chosen, whatever the workstation's kernel has later", () => {
        const config = { name: "kubenet", network: "cni" };
        for (const [then, now] of [
            [false, true],
            [true, false],
        ]) {
            const kernel = (has: boolean | undefined) => () => has === true;
            const before = runningCluster(specOf(config, "kubenet", kernel(then)));
            const after = specOf(config, "kubenet", kernel(now), before);
            expect(after.serviceProxy.worker).toBe(before.serviceProxy);
            expect(refuseImmutableChange(before, after)).toEqual([]);
        }
    });

    test("keeps its network", () => {
        expect(refused({ network: "kubenet" })).toEqual(["network: kubenet"]);
        expect(refuseImmutableChange(RUNNING, specOf({}))).toEqual([]);
    });

    test("of an earlier version, which didn't tell its plugin, isn't refused", () => {
        expect(refuseImmutableChange({ ...RUNNING, network: "cni" }, specOf({ network: "cni" }))).toEqual([]);
    });
});

test("a cluster that had several control planes elects its leaders for good", () => {
    const three = specOf({ controlPlanes: 3 });
    expect(three.highlyAvailable).toBe(true);
    const running = runningCluster(three);
    expect(runningCluster(specOf({}))).not.toHaveProperty("mostControlPlanes");
    const one = specOf({ controlPlanes: 1 }, "kubenet", () => false, running);
    expect(one.highlyAvailable).toBe(true);
    expect(runningCluster(one)).toEqual(running);
    // Those that leave and the one that stays hear of each other until they have left.
    expect(one.api.holders).toEqual(three.api.holders);
    expect(three.api.holders).toEqual(["10.240.0.11", "10.240.0.12", "10.240.0.13"]);
});

test("several API servers can all read with a key of Secrets before one writes with it", () => {
    const running = runningCluster(specOf({ controlPlanes: 3 }));
    const refused = (keys: string): string[] =>
        refuseImmutableChange(running, specOf({ controlPlanes: 3, encryptionKeys: keys })).map(formatProblem);
    expect(refused('["key-2", "key-1"]')).toEqual([
        'kubelab:encryptionKeys: ["key-2","key-1"] begins with key-2, which the API servers can\'t read with yet; add key-2 at the end, run \'up\', and put it first then',
    ]);
    expect(refused('["key-1", "key-2"]')).toEqual([]);
});
