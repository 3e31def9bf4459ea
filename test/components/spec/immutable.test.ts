import { formatProblem, refuseImmutableChange, type RunningCluster } from "../../../components/spec";
import { specOf } from "./support";

const RUNNING: RunningCluster = {
    name: "kubenet",
    network: "kubenet",
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
