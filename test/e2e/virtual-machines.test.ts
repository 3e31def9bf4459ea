import { readdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { run } from "../../scripts/machines/commands";
import { labNames, machineNames } from "../../scripts/machines/names";
import { vmFiles } from "../../scripts/machines/qemu/files";
import { ask } from "../../scripts/machines/qemu/monitor";
import { listMachines, machineDifferences, machineStatus } from "../../scripts/machines/status";
import { Driver } from "../support/driver";
import { HostBefore } from "../support/host-state";
import { eventually, Lab } from "../support/lab";
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
    /** The process of the machine, by its name among QEMU's. */
    const qemu = (): number[] =>
        readdirSync("/proc")
            .filter((entry) => /^\d+$/.test(entry))
            .filter((pid) => commandLine(pid).includes(`guest=${machineNames(lab, "cp-1").container}\0`))
            .map(Number);

    beforeAll(() => {
        driver = new Driver(20);
        host = new HostBefore(/test-vm|10\.252\.1\./);
    });
    afterAll(() => {
        if (!keepsForInspection()) {
            driver.run("network", "delete", { lab });
        }
        driver.remove();
    }, 60_000);

    it("boot whole, with a kernel, cgroups and a clock of their own", () => {
        driver.succeed("network", "create", driver.network(lab, prefix));
        const { code, stdout, stderr } = driver.run("machine", "create", request());
        if (code !== 0) {
            stopStory();
            throw new Error(stderr);
        }
        const created = JSON.parse(stdout) as Record<string, unknown>;
        id = created["id"];
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
        const { directory } = machineNames(lab, "cp-1");
        expect(statSync(directory).mode & 0o077).toBe(0);
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

    it("take over a new key by a start, with what is on their disk", async () => {
        const authorizedKeys = [driver.publicKey("other-user-key")];
        await eventually(BOOT, () => on("systemctl is-system-running --wait"));
        expect(driver.succeed("machine", "create", request({ authorizedKeys }))["id"]).toBe(id);
        expect(on("cat /root/kept; hostname", { userKey: "other-user-key" })).toBe("kept\ncp-1");
        expect(driver.ssh(address, "true").code).not.toBe(0);
    }, 600_000);

    it("are started again after QEMU was killed", async () => {
        expect(machineStatus(lab, "cp-1")).toBe("running");
        process.kill(qemu()[0] ?? 0, "SIGKILL");
        await eventually(10, () => {
            expect(machineStatus(lab, "cp-1")).toBe("stopped");
        });
        expect(driver.succeed("machine", "create", request())["id"]).toBe(id);
        expect(on("cat /root/kept; findmnt --noheadings --output FSTYPE /")).toBe("kept\next4");
    }, 600_000);

    it("are looked at by the preflight of hosts: swap, a firewall, a wrong clock", () => {
        on("fallocate -l 64M /swap; chmod 600 /swap; mkswap /swap >/dev/null; swapon /swap");
        on(
            "nft 'add table inet own; add chain inet own input { type filter hook input priority 0; policy drop; }; " +
                "add rule inet own input ct state established,related accept; add rule inet own input tcp dport 22 accept'",
        );
        on("timedatectl set-ntp false 2>/dev/null; date --set '-1 hour'");
        const hosts = new Lab("vm-host", {
            provider: "hosts",
            hosts: [
                {
                    role: "control-plane",
                    address,
                    keyFile: driver.path("user-key"),
                    hostKey: driver.publicKey("host-key").split(" ").slice(0, 2).join(" "),
                },
            ],
        });
        try {
            const start = Date.now();
            const { code, stdout, stderr } = hosts.run("up", ["--preview"]);
            console.log(`preflight of a virtual machine: ${((Date.now() - start) / 1000).toFixed(1)} s`);
            const said = `${stdout}\n${stderr}`;
            expect(said).toMatch(/cp-1: has a clock that is 3[56]\d\d seconds behind this machine's/);
            expect(said).toMatch(/cp-1: has an active firewall, nftables,/);
            expect(said).toMatch(
                /cp-1: can't be reached on TCP 6443 from here.*; open the port to this machine in its nftables/,
            );
            expect(said).toContain("(2 problems); nothing was changed on them");
            expect(code).not.toBe(0);
            // Made right: what is left are warnings, and swap is none of them.
            on("nft delete table inet own; date --set '+1 hour'");
            const { stdout: plan, code: planned } = hosts.run("up", ["--preview"]);
            expect(plan).not.toMatch(/firewall|swap|aren't ready/);
            expect(planned).toBe(0);
        } finally {
            hosts.remove();
        }
    }, 300_000);

    it("leave nothing on the host", async () => {
        driver.succeed("machine", "delete", request());
        driver.succeed("network", "delete", { lab });
        expect(driver.succeed("machine", "delete", request())).toEqual({ deleted: false });
        await eventually(5, () => {
            expect(host.differences()).toEqual([]);
        });
    }, 60_000);
});

function commandLine(pid: string): string {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
        return "";
    }
}
