import { hypervisor } from "../../scripts/machines/choose-driver";
import { Lab, story } from "../support/lab";

// Three emulated machines would take more than half an hour on two cores.

story(
    "a lab of virtual machines only",
    () => {
        let lab: Lab;

        beforeAll(() => {
            lab = new Lab("virtual", "10.252.3.0/24");
            lab.configure({ local: { network: "10.252.3.0/24", driver: "qemu", accelerator: "kvm" } });
        });
        afterAll(() => {
            lab.remove();
        }, 120_000);

        it("comes up, with three nodes Ready within 25 seconds once its software is there", () => {
            lab.up();
            lab.down();
            const { seconds, phases } = lab.up();
            console.log(`up of three virtual machines: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`);
            expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
            expect(seconds).toBeLessThanOrEqual(25);
        }, 900_000);

        it("does what it is for: verify passes every check", () => {
            expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
            lab.down();
        }, 300_000);

        it("carries pods' packets in IP-in-IP tunnels, with kube-router and the overlay", () => {
            lab.up({ network: "cni", overlay: "full" });
            const tunnels = lab.ssh("worker-1", "ip -d -o link show type ipip");
            for (const other of ["cp-1", "worker-2"]) {
                const range = lab.kubectl("get", "node", other, "-o", "jsonpath={.spec.podCIDR}");
                const tunnel =
                    / dev (tun-\S+)/.exec(lab.ssh("worker-1", `ip -4 route show ${range}`))?.[1] ?? "no tunnel";
                expect(tunnels).toContain(` ${tunnel}@`);
            }
            expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
        }, 900_000);
    },
    hypervisor().withoutKvm,
);
