import {
    formatProblem,
    InvalidConfig,
    parseClusterSpec,
    type RawConfig,
    type RunningCluster,
} from "../../../components/cluster-spec";
import type { KernelProbe } from "../../../components/cluster-spec/service-proxy";
import type { Workstation } from "../../../components/cluster-spec/virtual-machines";
import type { ClusterSpec, Versions } from "../../../components/cluster-spec/types";

/** What is wrong, the config, the lines that a person sees, and the stack's name where it matters. */
export type WrongConfig = readonly [title: string, raw: RawConfig, problems: readonly string[], stack?: string];

export const PINNED: Versions = {
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

/** Without KVM, so that machines are containers by default, wherever the tests run. */
export const WORKSTATION: Workstation = {
    processors: 2,
    memory: 8000,
    hypervisor: { withoutKvm: "this host has no /dev/kvm", hasQemu: true },
};

export function specOf(
    raw: RawConfig,
    stack = "kubenet",
    kernelModules: KernelProbe = () => false,
    running?: RunningCluster,
): ClusterSpec {
    return parseClusterSpec(raw, { stack, kernelModules, workstation: WORKSTATION, pinnedVersions: PINNED, running });
}

/** The lines that a person sees for a wrong config. */
export function problemsOf(raw: RawConfig, stack?: string, kernelModules?: KernelProbe): string[] {
    try {
        specOf(raw, stack, kernelModules);
    } catch (error) {
        if (error instanceof InvalidConfig) {
            return error.problems.map(formatProblem);
        }
        throw error;
    }
    return [];
}

/** One test per wrong config, named after what is wrong. */
export function refuses(configs: readonly WrongConfig[]): void {
    test.each(configs.map(([title, raw, problems, stack]) => ({ title, raw, problems, stack })))(
        "refuses $title",
        ({ raw, problems, stack }) => expect(problemsOf(raw, stack)).toEqual(problems),
    );
}
