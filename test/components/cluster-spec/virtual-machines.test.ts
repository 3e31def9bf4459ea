import { parseClusterSpec, type RawConfig } from "../../../components/cluster-spec";
import type { Workstation } from "../../../components/cluster-spec/virtual-machines";
import { formatProblem, InvalidConfig } from "../../../components/cluster-spec";
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

    test("aren't looked at where no machine is made here", () => {
        expect(problems({ driver: { workers: "qemu" }, memory: 512 }, WORKSTATION, { workers: 0 })).toEqual([]);
    });
});
