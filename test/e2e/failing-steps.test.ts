import { startTimes } from "../support/start-times";
import { eventually, Lab, story } from "../support/lab";

story("an up that a step of fails on a running cluster", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("failing-steps", "10.239.4.0/24");
        lab.configure({ workers: 1 });
        lab.up();
    }, 600_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("restarts all services of a machine one after the other when all of them change", () => {
        const changed = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];
        const before = startTimes(lab, "cp-1");
        const flags = {
            ...Object.fromEntries(changed.map((name) => [name, { v: "3" }])),
            etcd: { "log-level": "warn" },
        };
        const { updated, created, replaced, seconds } = lab.up({ flags });
        console.log(`all services of two machines restarted: ${seconds.toFixed(1)} s`);
        // Six on the control plane, two on the worker.
        expect({ updated, created, replaced }).toEqual({ updated: 8, created: 0, replaced: 0 });
        expect(seconds).toBeLessThan(80);
        const after = startTimes(lab, "cp-1");
        const restarted = Object.keys(after).filter((unit) => after[unit] !== before[unit]);
        expect(restarted).toEqual(expect.arrayContaining([...changed, "etcd"].map((name) => `${name}.service`)));
        lab.up({ flags: undefined });
    }, 300_000);

    it("names the node, the unit and its last words when a unit won't start, and leaves the unit as it was", async () => {
        lab.configure({ flags: { "kube-scheduler": { nonsense: "1" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(/cp-1: kube-scheduler is not healthy/);
        expect(stdout + stderr).toMatch(/unknown flag: --nonsense/);
        expect(stdout + stderr).toMatch(/put back what was there before/);
        await eventually(20, () => expect(lab.ssh("cp-1", "systemctl is-active kube-scheduler").trim()).toBe("active"));
        const { created, updated, replaced } = lab.up({ flags: undefined });
        expect({ created, updated, replaced }).toEqual({ created: 0, updated: 0, replaced: 0 });
    }, 300_000);

    it("tells of a port that something else holds, and goes on when it is free", () => {
        lab.ssh(
            "cp-1",
            "systemctl stop kube-scheduler; systemd-run --quiet --unit=squatter socat TCP-LISTEN:10259,reuseaddr,fork /dev/null",
        );
        lab.configure({ flags: { "kube-scheduler": { v: "1" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(/cp-1: kube-scheduler is not healthy/);
        expect(stdout + stderr).toMatch(/10259: bind: address already in use/);
        lab.ssh("cp-1", "systemctl stop squatter");
        expect(lab.up().updated).toBe(1);
        expect(lab.ssh("cp-1", "systemctl is-active kube-scheduler").trim()).toBe("active");
    }, 300_000);

    it("tells of a disk that is full, and goes on when there is room", () => {
        const directory = "/etc/kubernetes/kube-scheduler";
        lab.ssh(
            "cp-1",
            `cp -a ${directory} /root/saved; mount -t tmpfs -o size=4k,mode=0755 tmpfs ${directory}; head -c 4096 /dev/zero > ${directory}/full || true`,
        );
        lab.configure({ flags: { "kube-scheduler": { v: "2" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(/cp-1: can't write .*kube-scheduler/);
        lab.ssh("cp-1", `umount ${directory}; rm -r /root/saved`);
        expect(lab.up().updated).toBe(1);
    }, 300_000);

    it("tells which machine refuses the SSH key, and goes on when it doesn't", async () => {
        const [keys, away] = ["/root/.ssh/authorized_keys", "/root/.ssh/not-now"];
        lab.ssh("worker-1", `mv ${keys} ${away} && systemd-run --quiet --on-active=40s mv ${away} ${keys}`);
        lab.configure({ flags: { kubelet: { v: "1" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stdout + stderr).toMatch(
            /worker-1-kubelet .*no SSH connection to root@10\.239\.4\.21:22.*authentication/,
        );
        expect(stdout + stderr).not.toContain("PRIVATE KEY");
        await eventually(60, () => lab.ssh("worker-1", "true"));
        lab.up();
        expect(lab.ssh("worker-1", "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID kubelet)/cmdline")).toContain(
            "--v=1\n",
        );
    }, 300_000);
});
