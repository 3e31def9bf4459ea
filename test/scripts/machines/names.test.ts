import fc from "fast-check";
import { labNames, machineNames, shorten } from "../../../scripts/machines/names";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);

describe("names of a lab on its host", () => {
    it("fit into the kernel's 15 characters for a network interface, whatever the lab is called", () => {
        fc.assert(
            fc.property(label, label, (lab, machine) => {
                expect(labNames(lab).bridge.length).toBeLessThanOrEqual(15);
                expect(machineNames(lab, machine).interface.length).toBeLessThanOrEqual(15);
                expect(machineNames(lab, machine).container.length).toBeLessThanOrEqual(63);
            }),
        );
    });

    it("keep a short lab's name as it is", () => {
        expect(labNames("kubenet").bridge).toBe("lab-kubenet");
        expect(machineNames("kubenet", "cp-1").networkNamespace).toBe("kubenet-cp-1");
    });

    it("differ for long names with the same beginning", () => {
        expect(labNames("a-very-long-name-1").bridge).not.toBe(labNames("a-very-long-name-2").bridge);
        expect(shorten("a-very-long-name-1", 15)).toMatch(/^a-very-l-[0-9a-f]{6}$/);
    });

    it("differ for lab a-b with machine c and lab a with machine b-c", () => {
        expect(machineNames("a-b", "c").interface).not.toBe(machineNames("a", "b-c").interface);
        expect(machineNames("a-b", "c").hardwareAddress).not.toBe(machineNames("a", "b-c").hardwareAddress);
    });

    it("give interfaces locally administered unicast addresses that stay the same", () => {
        expect(machineNames("kubenet", "cp-1").hardwareAddress).toMatch(/^02(:[0-9a-f]{2}){5}$/);
        expect(machineNames("kubenet", "cp-1").hardwareAddress).toBe(machineNames("kubenet", "cp-1").hardwareAddress);
    });
});
