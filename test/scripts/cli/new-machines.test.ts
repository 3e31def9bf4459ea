import { describeNewMachines } from "../../../scripts/cli/new-machines";
import { testSpec } from "../../support/spec";

const FAST = { withoutKvm: undefined, hasQemu: true };
const SLOW = { withoutKvm: "this host has no /dev/kvm", hasQemu: true };
const none = () => undefined;

describe("the machines that `up` is going to make", () => {
    it("are told with the reason, once where it is the same for both roles", () => {
        expect(describeNewMachines(testSpec(), none, SLOW)).toBe(
            "machines are systemd-nspawn containers: this host has no /dev/kvm",
        );
        expect(describeNewMachines(testSpec(), none, FAST)).toBe(
            "machines are virtual machines of QEMU: this host has KVM and QEMU",
        );
        expect(describeNewMachines(testSpec({ local: { driver: { workers: "qemu" } } }), none, SLOW)).toBe(
            "control planes are systemd-nspawn containers: this host has no /dev/kvm; " +
                "workers are virtual machines of QEMU: kubelab:local.driver says so",
        );
    });

    it("are none of those that are there, and like the others of their role", () => {
        expect(describeNewMachines(testSpec(), () => "nspawn", FAST)).toBeUndefined();
        const grown = testSpec({ workers: 3 });
        const made = ({ name }: { readonly name: string }) => (name === "worker-3" ? undefined : "nspawn");
        expect(describeNewMachines(grown, made, FAST)).toBe("workers are systemd-nspawn containers: the others are");
    });

    it("are nothing where machines come from elsewhere", () => {
        const aws = { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"] } };
        expect(describeNewMachines(testSpec(aws), none, FAST)).toBeUndefined();
    });
});
