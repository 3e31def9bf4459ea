import { release } from "node:os";
import { HostBefore } from "../support/host-state";
import { eventually, NO_CHANGES, story } from "../support/lab";
import { VirtualWorker } from "../support/virtual-worker";

story("a lab of a container and a virtual machine", () => {
    let lab: VirtualWorker;
    let host: HostBefore;

    beforeAll(() => {
        lab = new VirtualWorker("mixed", "10.252.2.0/24");
        host = new HostBefore(/test-mixed|10\.252\.2\./);
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("comes up: both nodes Ready, each with its own kernel", () => {
        const { seconds, phases } = lab.up();
        console.log(`up of a container and a virtual machine: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`);
        expect(lab.kernels()).toEqual([release(), expect.stringContaining("cloud")]);
        expect(lab.kubectl("get", "nodes", "--no-headers")).toMatch(/^cp-1 +Ready [^]*^worker-1 +Ready /m);
    }, 900_000);

    it("runs pods on both, which reach each other by their addresses and by a service", async () => {
        lab.createPods();
        const service = lab.addressOf("service/both");
        await lab.podsReachEachOther(60);
        await eventually(60, () => {
            expect(lab.answers("worker-1", service, service, service, service)).toEqual(["200", "200", "200", "200"]);
            expect(lab.answers("cp-1", service)).toEqual(["200"]);
        });
        expect(lab.kubectl("exec", "on-worker-1", "--", "cat", "/proc/sys/kernel/osrelease")).toMatch(/cloud/);
        expect(lab.kubectl("logs", "on-worker-1")).toMatch(/GET \/ HTTP/);
    }, 400_000);

    it("finds nothing to do in a second up, and nothing amiss in its status", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expect(lab.succeed("status")).not.toMatch(/drift/);
    }, 200_000);

    it("heals after the virtual machine has rebooted", async () => {
        await lab.reboot();
        await lab.podsReachEachOther(180);
        expect(lab.kubectl("get", "node", "worker-1", "--no-headers")).toMatch(/ Ready /);
    }, 600_000);

    it("says that the virtual machine's clock has jumped, and a repair sets it", () => {
        lab.ssh("worker-1", 'date --set="2 hours ago"');
        expect(lab.run("status", [], 200).stdout).toMatch(/drift: clock: 7[12]\d\d seconds behind this host's/);
        expect(lab.succeed("repair", ["worker-1"], 400)).toMatch(/put back: worker-1: clock: /);
        expect(Math.abs(Number(lab.ssh("worker-1", "date +%s")) - Date.now() / 1000)).toBeLessThan(10);
    }, 900_000);

    it("goes down and takes everything with it", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
