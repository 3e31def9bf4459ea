import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, tryRun } from "../../scripts/machines/commands";
import { labNames, machineNames } from "../../scripts/machines/names";
import { vmFiles } from "../../scripts/machines/qemu/files";
import { ask } from "../../scripts/machines/qemu/monitor";
import { listMachines, machineDifferences, machineStatus } from "../../scripts/machines/status";
import { Driver } from "../support/driver";
import { HostBefore } from "../support/host-state";
import { eventually } from "../support/lab";
import { keepsForInspection, stopStory, story } from "../support/story";

/** Seconds that a machine has to come up in without KVM, on a busy host. */
const BOOT = 300;

story("virtual machines", () => {
    const lab = "test-vm";
    const prefix = "10.252.1";
    const address = `${prefix}.11`;
    let driver: Driver;
    let host: HostBefore;
    let id: unknown;
    let otherKey: string;
    const names = machineNames(lab, "cp-1");

    const request = (change: object = {}): object => ({
        ...driver.machine(lab, prefix, "cp-1"),
        driver: "qemu",
        vm: { memory: 2048, disk: 20 },
        ...change,
    });
    const on = (commandLine: string, keys: { readonly userKey?: string } = {}): string => {
        const { code, stdout, stderr } = driver.ssh(address, commandLine, keys);
        if (code !== 0) {
            throw new Error(`${commandLine}: ${stderr || stdout}`);
        }
        return stdout;
    };
    const other = (commandLine: string): string => on(commandLine, { userKey: "other-user-key" });
    /** The process of the machine, by its name among QEMU's. */
    const qemu = (): number[] =>
        readdirSync("/proc")
            .filter((entry) => /^\d+$/.test(entry))
            .filter((pid) => commandLine(pid).includes(`guest=${machineNames(lab, "cp-1").container}\0`))
            .map(Number);

    beforeAll(() => {
        driver = new Driver(20);
        otherKey = driver.publicKey("other-user-key");
        host = new HostBefore(/test-vm|10\.252\.1\./);
    });
    afterAll(() => {
        if (!keepsForInspection()) {
            tryRun("umount", ["--lazy", names.directory]);
            driver.run("network", "delete", { lab });
        }
        driver.remove();
    }, 60_000);

    it("boot whole, with a kernel and cgroups of their own, though the driver was killed meanwhile", async () => {
        driver.succeed("network", "create", driver.network(lab, prefix));
        // A small disk of this host for the machine's own.
        mkdirSync(names.directory, { recursive: true, mode: 0o700 });
        run("mount", ["-t", "tmpfs", "-o", "size=1G,mode=700", "tmpfs", names.directory]);
        await driver.killWhen("machine", request(), () => qemu().length > 0);
        const [pid] = qemu();
        expect(machineStatus(lab, "cp-1")).toBe("running");
        const { code, stdout, stderr } = driver.run("machine", "create", request());
        if (code !== 0) {
            stopStory();
            throw new Error(stderr);
        }
        const created = JSON.parse(stdout) as Record<string, unknown>;
        id = created["id"];
        expect(qemu()).toEqual([pid]);
        expect(created).toMatchObject({ address, facts: { cgroupDriver: "systemd", failCgroupV1: true } });
        expect(on("systemctl is-system-running --wait; systemctl --failed --no-legend")).toBe("running");
        expect(on("uname -r")).not.toBe(release());
        expect(on("stat -f -c %T /sys/fs/cgroup; hostname; systemd-detect-virt")).toMatch(
            /^cgroup2fs\ncp-1\n(qemu|kvm)$/,
        );
        expect(on("ip -brief -4 address show eth0")).toMatch(/10\.252\.1\.11\/24 10\.252\.1\.10\/24$/);
        expect(Number(on("df --output=size -BG / | tail -1").replace("G", ""))).toBeGreaterThanOrEqual(19);
    }, 900_000);

    it("load what containers can't: IPVS, tunnels, bridges' filters", () => {
        expect(
            on("modprobe -a ip_vs ip_vs_rr ipip vxlan br_netfilter nf_tables overlay wireguard && echo loaded"),
        ).toBe("loaded");
        expect(on("sysctl -n net.bridge.bridge-nf-call-iptables kernel.panic; sysctl -qw kernel.panic=7")).toMatch(
            /^1\n/,
        );
    }, 60_000);

    it("prove who they are, and have their keys in no place that others can read", () => {
        expect(driver.ssh(address, "true", { hostKey: "other-host-key" }).stderr).toMatch(/verification failed/i);
        expect(on("cat /proc/cmdline; ls /etc/ssh/ssh_host_*")).toMatch(
            /^console=\S+ [^\n]*\n\/etc\/ssh\/ssh_host_ed25519_key$/,
        );
        expect(statSync(names.directory).mode & 0o077).toBe(0);
        expect(statSync(vmFiles(lab, "cp-1").initrd).mode & 0o777).toBe(0o600);
        expect(qemu()).toHaveLength(1);
        expect(commandLine(String(qemu()[0]))).not.toMatch(/BEGIN|ssh-ed25519/);
    }, 60_000);

    it("are the same when they are asked for again, and never become containers", () => {
        const [pid] = qemu();
        expect(driver.succeed("machine", "create", request())["id"]).toBe(id);
        expect(qemu()).toEqual([pid]);
        expect(driver.run("machine", "create", request({ driver: "nspawn" })).stderr).toMatch(
            /^cp-1 was made by the driver qemu and can't become a machine of nspawn\./,
        );
        expect(listMachines(lab)).toEqual(["cp-1"]);
    }, 60_000);

    it("go on, and are put back on their bridge, where something stopped them", async () => {
        await ask(vmFiles(lab, "cp-1").monitor, "stop");
        run("ip", ["link", "set", machineNames(lab, "cp-1").interface, "nomaster"]);
        expect(await machineDifferences(lab, "cp-1")).toEqual([
            {
                subject: `interface ${machineNames(lab, "cp-1").interface}`,
                difference: `not on ${labNames(lab).bridge}`,
            },
            { subject: "machine", difference: 'waits: QEMU says "paused"' },
        ]);
        expect(driver.succeed("machine", "create", request())["id"]).toBe(id);
        expect(await machineDifferences(lab, "cp-1")).toEqual([]);
        on("true");
    }, 60_000);

    it("reboot by themselves, and keep their disk and address", async () => {
        const boot = on("cat /proc/sys/kernel/random/boot_id");
        const [pid] = qemu();
        on("echo kept >/root/kept; nft add table ip stray; systemctl reboot");
        await eventually(BOOT, () => {
            expect(on("cat /proc/sys/kernel/random/boot_id")).not.toBe(boot);
        });
        expect(on("nft list ruleset; cat /root/kept; journalctl --list-boots --quiet | wc -l")).toBe("kept\n2");
        expect(qemu()).toEqual([pid]);
    }, 400_000);

    it("take over a new key by a start, with what is on their disk, though that is full", async () => {
        await eventually(BOOT, () => on("systemctl is-system-running --wait"));
        // All but 64 MiB without writing them.
        on("fallocate -l $(($(stat -f -c '%f * %S' /) - (64 << 20))) /root/filler; cp /dev/zero /root/rest || true");
        expect(on("df --output=avail / | tail -1").trim()).toBe("0");
        expect(driver.succeed("machine", "create", request({ authorizedKeys: [otherKey] }))["id"]).toBe(id);
        expect(other("cat /root/kept; hostname; rm /root/filler /root/rest")).toBe("kept\ncp-1");
        expect(driver.ssh(address, "true").code).not.toBe(0);
    }, 600_000);

    it("wait while this host's disk is full, say so, and go on when there is room", async () => {
        await eventually(BOOT, () => other("systemctl is-system-running --wait"));
        const filler = join(names.directory, "filler");
        const free = statfsSync(names.directory);
        run("fallocate", ["-l", String(free.bavail * free.bsize - (1 << 20)), filler]);
        // More than its disk file has room for already: what was written before, and deleted.
        const size = 192 << 20;
        // A unit of its own: what a session leaves behind may end with its SSH server, which still starts.
        other(`systemd-run --quiet bash -c 'yes kubelab | head -c ${size} >/root/big; sync'`);
        const deadline = Date.now() + BOOT * 1000;
        while ((await machineDifferences(lab, "cp-1")).length === 0 && Date.now() < deadline) {
            await sleep(500);
        }
        const waits = "this host's disk was full when it wrote to its own";
        expect(await machineDifferences(lab, "cp-1")).toEqual([{ subject: "machine", difference: `waits: ${waits}` }]);
        const { code, stderr } = driver.run("machine", "create", request({ authorizedKeys: [otherKey] }));
        expect(stderr).toBe(`cp-1 waits: ${waits}. Make room below ${names.directory}, and run this again.\n`);
        expect(code).toBe(1);
        rmSync(filler);
        expect(driver.succeed("machine", "create", request({ authorizedKeys: [otherKey] }))["id"]).toBe(id);
        await eventually(60, () => {
            expect(other("sync; stat -c %s /root/big")).toBe(String(size));
        });
    }, 500_000);

    it("are started again after QEMU was killed", async () => {
        expect(machineStatus(lab, "cp-1")).toBe("running");
        process.kill(qemu()[0] ?? 0, "SIGKILL");
        await eventually(10, () => {
            expect(machineStatus(lab, "cp-1")).toBe("stopped");
        });
        expect(driver.succeed("machine", "create", request({ authorizedKeys: [otherKey] }))["id"]).toBe(id);
        // It takes connections before its processors are idle enough to go on with them.
        await eventually(60, () => {
            expect(other("cat /root/kept; findmnt --noheadings --output FSTYPE /")).toBe("kept\next4");
        });
    }, 600_000);

    it("show what their console said when they don't come up", async () => {
        process.kill(qemu()[0] ?? 0, "SIGKILL");
        await eventually(10, () => {
            expect(machineStatus(lab, "cp-1")).toBe("stopped");
        });
        const { disk } = vmFiles(lab, "cp-1");
        run("qemu-img", ["create", "-q", "-f", "qcow2", disk, "20G"]);
        const { code, stderr } = driver.run("machine", "create", request({ authorizedKeys: [otherKey] }));
        expect(code).toBe(1);
        expect(stderr).toMatch(
            /^cp-1 ended while it started\. Its console:\n\/run\/kubelab\/test-vm\/cp-1\.console\.log\n[^]*kubelab: the disk can't be mounted/,
        );
    }, 200_000);

    it("leave nothing on the host", async () => {
        run("umount", ["--lazy", names.directory]);
        driver.succeed("machine", "delete", request());
        driver.succeed("network", "delete", { lab });
        expect(driver.succeed("machine", "delete", request())).toEqual({ deleted: false });
        await host.expectAsBefore(5);
    }, 60_000);
});

function commandLine(pid: string): string {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
        return "";
    }
}
