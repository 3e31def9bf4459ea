import { qemu } from "../../../../scripts/machines/qemu/command-line";
import { RECORD } from "./record";

describe("QEMU's command line", () => {
    const emulated = qemu(RECORD, "tcg").join(" ");
    const accelerated = qemu({ ...RECORD, preloaded: "/var/lib/kubelab/kubenet/.parts-1.img" }, "kvm").join(" ");

    it("names a processor that the accelerator has", () => {
        expect(emulated).toContain("-machine q35,accel=tcg -cpu max,-erms,-la57 -smp 2 -m 1024M");
        expect(accelerated).toContain("-machine q35,accel=kvm -cpu host");
    });

    it("leaves the protection against speculation on where there is speculation", () => {
        expect(emulated).toContain("mitigations=off");
        expect(accelerated).not.toContain("mitigations");
    });

    it("has the parts on a disk of their own where there are any", () => {
        expect(accelerated).toContain("id=root,file=/var/lib/kubelab/kubenet/worker-1/disk.qcow2");
        expect(accelerated).toContain("id=parts,file=/var/lib/kubelab/kubenet/worker-1/parts.qcow2");
        expect(emulated).not.toContain("parts.qcow2");
    });

    it("keeps the machine's files out of the words that every user can read", () => {
        expect(emulated).not.toMatch(/BEGIN|AAAA|10\.240\.0\.21/);
        expect(emulated).toContain("-initrd /var/lib/kubelab/kubenet/worker-1/initrd");
    });

    it("plugs the machine into a bridge, or into the lab's switch", () => {
        expect(emulated).toMatch(/-netdev tap,id=net,ifname=worker-1-\w+,script=no/);
        expect(qemu(RECORD, "tcg", true).join(" ")).toMatch(
            /-netdev stream,id=net,server=off,addr.type=unix,addr.path=\S+\/kubenet\/switch.sock -device virtio-net-pci,netdev=net/,
        );
    });

    it("gives the machine its id as the firmware's", () => {
        expect(emulated).toContain("-uuid 01234567-89ab-cdef-0123-456789abcdef");
    });
});
