import {
    type ClusterSpec,
    formatProblem,
    InvalidConfig,
    keptForLife,
    parseClusterSpec,
    type RawConfig,
    refuseImmutableChange,
    runningCluster,
    type RunningCluster,
} from "../../../components/cluster-spec";
import type { Workstation } from "../../../components/cluster-spec/virtual-machines";
import { PINNED, WORKSTATION } from "./support";

const WITH_KVM: Workstation = { ...WORKSTATION, hypervisor: { withoutKvm: undefined, hasQemu: true } };

function problems(local: object, workstation = WORKSTATION, config: RawConfig = {}): string[] {
    try {
        parseClusterSpec(
            { ...config, local },
            { stack: "kubenet", kernelModules: () => false, workstation, pinnedVersions: PINNED },
        );
        return [];
    } catch (error) {
        if (error instanceof InvalidConfig) {
            return error.problems.map(formatProblem);
        }
        throw error;
    }
}

describe("the driver", () => {
    const driverOf = (local: object) =>
        parseClusterSpec({ local }, { stack: "kubenet", workstation: WORKSTATION, pinnedVersions: PINNED }).local
            ?.driver;

    test("is one for all machines, or one per role", () => {
        expect(driverOf({ driver: "qemu" })).toEqual({ "control-plane": "qemu", worker: "qemu" });
        expect(driverOf({ driver: { workers: "qemu" } })).toEqual({ "control-plane": "auto", worker: "qemu" });
    });

    test("is refused where it is none", () => {
        expect(problems({ driver: "quemu" })).toEqual([
            'kubelab:local.driver: "quemu" is not a known value; did you mean "qemu"?',
        ]);
        expect(problems({ driver: { worker: "qemu" } })).toEqual([
            'kubelab:local.driver: {"worker":"qemu"} is no map of roles; did you mean "workers"?',
        ]);
    });
});

describe("the driver of a running cluster", () => {
    const specOn = (workstation: Workstation, config: RawConfig, running?: RunningCluster): ClusterSpec =>
        parseClusterSpec(config, { stack: "kubenet", workstation, pinnedVersions: PINNED, running });
    const refused = (running: RunningCluster, next: ClusterSpec): string[] =>
        refuseImmutableChange(running, next).map(formatProblem);

    test("is kept for its new machines as well, whatever the host has come to", () => {
        const containers = runningCluster(specOn(WORKSTATION, {}));
        expect(containers.drivers).toEqual({ "control-plane": "nspawn", worker: "nspawn" });
        const next = specOn(WITH_KVM, { workers: 3 }, containers);
        expect(next.local).toMatchObject({ driver: { "control-plane": "nspawn", worker: "nspawn" }, virtual: [] });
        expect(refused(containers, next)).toEqual([]);

        const virtual = runningCluster(specOn(WITH_KVM, { local: { memory: 2000 } }));
        expect(virtual.drivers).toEqual({ "control-plane": "qemu", worker: "qemu" });
        const later = specOn(WORKSTATION, { local: { memory: 2000 } }, virtual);
        expect(later.local?.virtual).toEqual(["control-plane", "worker"]);
        expect(runningCluster(later).drivers).toEqual(virtual.drivers);
    });

    test("is not asked for in so many words where the host would choose it anyway", () => {
        const running = runningCluster(specOn(WORKSTATION, {}));
        expect(specOn(WORKSTATION, {}, running).local?.driver).toEqual({ "control-plane": "auto", worker: "auto" });
    });

    test("was nspawn in earlier versions, which didn't tell", () => {
        expect(specOn(WITH_KVM, {}, keptForLife(specOn(WORKSTATION, {}))).local?.virtual).toEqual([]);
    });

    test("can't be replaced, except of a role that has no machines yet", () => {
        const running = runningCluster(specOn(WORKSTATION, {}));
        expect(refused(running, specOn(WORKSTATION, { local: { driver: "qemu" } }, running))).toEqual([
            'kubelab:local.driver.controlPlanes: "qemu" can\'t replace "nspawn" while the cluster is running: a machine\'s disk is of no use to another driver; set it back to "nspawn", or destroy the cluster first',
            'kubelab:local.driver.workers: "qemu" can\'t replace "nspawn" while the cluster is running: a machine\'s disk is of no use to another driver; set it back to "nspawn", or destroy the cluster first',
        ]);
        const alone = runningCluster(specOn(WORKSTATION, { workers: 0 }));
        expect(refused(alone, specOn(WORKSTATION, { local: { driver: { workers: "qemu" } } }, alone))).toEqual([]);
    });
});

describe("virtual machines", () => {
    test("have the memory that their role needs", () => {
        expect(problems({ driver: "qemu", memory: 1024 })).toEqual([
            "kubelab:local.memory: 1024 is too little for a control plane; use 1800 (MiB) or more",
        ]);
        expect(problems({ driver: { controlPlanes: "nspawn", workers: "qemu" }, memory: 1024 })).toEqual([]);
    });

    test("have no more together than this host has", () => {
        expect(problems({ driver: "qemu", memory: 3000, cpus: 4 })).toEqual([
            'kubelab:local.memory: 3000 times 3 virtual machines is more than this host\'s 8000 MiB; use less, fewer machines, or the driver "nspawn"',
            "kubelab:local.cpus: 4 is more than this host's 2; use 2 or less",
        ]);
    });

    test("are what `auto` makes of machines where KVM can be used, with the same limits", () => {
        expect(problems({ memory: 1024 })).toEqual([]);
        expect(problems({ memory: 1024 }, WITH_KVM)).toHaveLength(1);
    });

    test("can't be accelerated without KVM", () => {
        expect(problems({ driver: "qemu", accelerator: "kvm" })).toEqual([
            'kubelab:local.accelerator: "kvm" can\'t be had: this host has no /dev/kvm; use "tcg" (emulation, slow) or "auto"',
        ]);
        expect(problems({ driver: "qemu", accelerator: "kvm" }, WITH_KVM)).toEqual([]);
    });

    test("are all that the networking without root takes", () => {
        expect(problems({ driver: "qemu", networking: "user" })).toEqual([]);
        expect(problems({ networking: "user" }, WITH_KVM)).toEqual([]);
        expect(problems({ networking: "user" })).toEqual([
            'kubelab:local.networking: "user" is for virtual machines, and a control plane would be a container: this host has no /dev/kvm; set kubelab:local.driver to "qemu"',
        ]);
        expect(problems({ driver: { controlPlanes: "qemu", workers: "nspawn" }, networking: "user" })).toEqual([
            'kubelab:local.networking: "user" is for virtual machines, and a worker would be a container; set kubelab:local.driver to "qemu"',
        ]);
    });

    test("aren't looked at where no machine is made here", () => {
        expect(problems({ driver: { workers: "qemu" }, memory: 512 }, WORKSTATION, { workers: 0 })).toEqual([]);
    });
});
