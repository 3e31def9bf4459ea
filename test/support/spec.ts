import { parseClusterSpec, type RawConfig, type Versions } from "../../components/cluster-spec";
import type { Workstation } from "../../components/cluster-spec/virtual-machines";
import type { ClusterSpec } from "../../components/cluster-spec/types";
import type { MachineFacts } from "../../components/machines/machine";

/** Versions of the tests' own, so that a new pin changes no snapshot. */
export const VERSIONS: Versions = {
    kubernetes: "1.36.3",
    etcd: "3.7.3",
    containerd: "2.4.2",
    runc: "1.4.0",
    cniPlugins: "1.9.1",
    coredns: "1.15.0",
    pause: "3.10.1",
    flannel: "0.28.9",
    kubeRouter: "2.11.0",
};

/** Without KVM. */
const WORKSTATION: Workstation = {
    processors: 2,
    memory: 8000,
    hypervisor: { withoutKvm: "this host has no /dev/kvm", hasQemu: false },
};

/** The spec of a stack named `test` with this config, the same on every host that runs the tests. */
export function testSpec(config: RawConfig = {}): ClusterSpec {
    return parseClusterSpec(config, {
        stack: "test",
        kernelModules: () => false,
        workstation: WORKSTATION,
        pinnedVersions: VERSIONS,
    });
}

/** Ranges that no default of any component could pass for. */
export const UNUSUAL: RawConfig = {
    podCidr: "172.20.0.0/15",
    serviceCidr: "192.168.128.0/20",
    clusterDomain: "lab.internal",
    local: { network: "10.7.3.0/25" },
};

export const FACTS: MachineFacts = {
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    restrictOomScoreAdj: true,
    conntrackMaxPerCore: 0,
    registries: [],
};
