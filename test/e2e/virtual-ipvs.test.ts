import { eventually, NO_CHANGES, story } from "../support/lab";
import { VirtualWorker } from "../support/virtual-worker";

story("kube-router, with IPVS on a virtual machine beside a container that has none", () => {
    let lab: VirtualWorker;

    beforeAll(() => {
        lab = new VirtualWorker("ipvs", "10.252.4.0/24", {
            network: "cni",
            serviceProxy: { controlPlanes: "kube-proxy", workers: "ipvs" },
            // Its image takes an emulated machine a minute, and it shows nothing that the pods here do not.
            components: { dns: false },
        });
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    /** What the kernel's table of IPVS has on the worker, as the kube-router there shows it. */
    const ipvsadm = (...options: readonly string[]): string => {
        const select = ["-l", "k8s-app=kube-router", "--field-selector", "spec.nodeName=worker-1", "-o", "name"];
        const pod = lab.kubectl("-n", "kube-system", "get", "pods", ...select).trim();
        return lab.kubectl("-n", "kube-system", "exec", pod, "--", "ipvsadm", "-Ln", ...options);
    };

    it("comes up, with a service proxy of its own on each node", () => {
        const { seconds, phases } = lab.up();
        console.log(`up with kube-router and a virtual machine: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`);
        expect(lab.kubectl("get", "nodes", "--no-headers")).toMatch(/^cp-1 +Ready [^]*^worker-1 +Ready /m);
        expect(lab.ssh("cp-1", "systemctl is-active kube-proxy").trim()).toBe("active");
        expect(lab.ssh("worker-1", "ls /etc/systemd/system/kube-proxy.service /proc/net/ip_vs 2>&1 || true")).toMatch(
            /kube-proxy.service': No such file[^]*\/proc\/net\/ip_vs$/m,
        );
    }, 900_000);

    it("sends the worker's services through IPVS to pods of both nodes", async () => {
        lab.createPods();
        await lab.podsReachEachOther(60);
        const service = lab.addressOf("service/both");
        await eventually(60, () => {
            expect(lab.answers("worker-1", service, service, service, service)).toEqual(["200", "200", "200", "200"]);
            expect(lab.answers("cp-1", service)).toEqual(["200"]);
        });
        const table = ipvsadm("--stats");
        for (const pod of ["pod/on-cp-1", "pod/on-worker-1"]) {
            // Connections through it: round robin gave each some of the four.
            expect(table).toMatch(new RegExp(`-> ${lab.addressOf(pod).replace(/\./g, "\\.")}:80 +[1-9]`));
        }
        expect(table).toContain(`TCP  ${service}:80 `);
        expect(lab.ssh("cp-1", "ip link show kube-dummy-if 2>&1 || true")).toContain("does not exist");
        expect(lab.kubectl("logs", "on-worker-1")).toMatch(/GET \/ HTTP/);
    }, 400_000);

    it("finds nothing to do in a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 200_000);

    it("heals after the virtual machine has rebooted", async () => {
        await lab.reboot();
        await lab.podsReachEachOther(240);
        const service = lab.addressOf("service/both");
        await eventually(60, () => {
            expect(lab.answers("worker-1", service, service)).toEqual(["200", "200"]);
        });
    }, 700_000);
});
