import {
    formatProblem,
    keptForLife,
    type RawConfig,
    refuseImmutableChange,
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

describe("a cluster with a CNI plugin", () => {
    const running = keptForLife(specOf({ name: "kubenet", network: "cni" }));
    const refused = (config: RawConfig, modules: KernelProbe = () => false): string[] =>
        refuseImmutableChange(running, specOf({ name: "kubenet", network: "cni", ...config }, "kubenet", modules)).map(
            ({ key, value }) => `${key}: ${String(value)}`,
        );

    test("keeps its plugin, its overlay and who implements services", () => {
        expect(refused({ cniPlugin: "flannel", overlay: "full" })).toEqual(["cniPlugin: flannel", "overlay: full"]);
        expect(refused({}, () => true)).toEqual(["serviceProxy: ipvs"]);
        expect(refused({ serviceProxy: "kube-proxy", proxyMode: "iptables" }, () => true)).toEqual([]);
        expect(refused({ components: { kubeProxy: false } })).toEqual([]);
    });

    test("keeps its network, and a plugin that kubenet doesn't read is no change", () => {
        expect(refused({ network: "kubenet" })).toEqual(["network: kubenet"]);
        expect(refuseImmutableChange(RUNNING, specOf({ cniPlugin: "flannel" }))).toEqual([]);
    });

    test("of an earlier version, which didn't tell its plugin, isn't refused", () => {
        expect(refuseImmutableChange({ ...RUNNING, network: "cni" }, specOf({ network: "cni" }))).toEqual([]);
    });
});
