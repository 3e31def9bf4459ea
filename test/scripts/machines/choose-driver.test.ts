import { chooseAccelerator, chooseDriver, type Hypervisor } from "../../../scripts/machines/choose-driver";

const FAST: Hypervisor = { withoutKvm: undefined, hasQemu: true };
const SLOW: Hypervisor = { withoutKvm: "this host has no /dev/kvm", hasQemu: true };

describe("the driver of a machine", () => {
    it("makes virtual machines by itself only where they are fast", () => {
        expect(chooseDriver("cp-1", "auto", undefined, FAST).driver).toBe("qemu");
        expect(chooseDriver("cp-1", "auto", undefined, SLOW)).toEqual({ driver: "nspawn", because: SLOW.withoutKvm });
        expect(chooseDriver("cp-1", "auto", undefined, { ...FAST, hasQemu: false }).driver).toBe("nspawn");
    });

    it("is the one that was asked for", () => {
        expect(chooseDriver("cp-1", "qemu", undefined, SLOW).driver).toBe("qemu");
        expect(chooseDriver("cp-1", "nspawn", undefined, FAST).driver).toBe("nspawn");
    });

    it("stays while the machine is there, whatever the host has come to", () => {
        expect(chooseDriver("cp-1", "auto", "nspawn", FAST).driver).toBe("nspawn");
        expect(chooseDriver("cp-1", "auto", "qemu", SLOW).driver).toBe("qemu");
        expect(() => chooseDriver("cp-1", "qemu", "nspawn", FAST)).toThrow(
            'cp-1 was made by the driver nspawn and can\'t become a machine of qemu. Set kubelab:local.driver back to "nspawn", or bring the lab down first.',
        );
    });
});

describe("the accelerator", () => {
    it("is KVM where it can be used, and never what can't", () => {
        expect(chooseAccelerator("auto", FAST)).toBe("kvm");
        expect(chooseAccelerator("auto", SLOW)).toBe("tcg");
        expect(chooseAccelerator("tcg", FAST)).toBe("tcg");
        expect(() => chooseAccelerator("kvm", SLOW)).toThrow(/"kvm", and this host has no \/dev\/kvm\. Use "tcg"/);
    });
});
