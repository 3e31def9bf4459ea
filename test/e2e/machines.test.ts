import { readFileSync } from "node:fs";
import { machineStatus, listMachines } from "../../scripts/machines/status";
import { Driver } from "../support/driver";
import { HostBefore } from "../support/host-state";
import { eventually, story } from "../support/lab";

const FIRST = { lab: "test-machines-1", prefix: "10.251.1" };
const SECOND = { lab: "test-machines-2", prefix: "10.251.2" };
/** Every cgroup hierarchy a machine sees, as words of a shell. */
const CGROUPS = "$(findmnt --raw --noheadings --output TARGET --types cgroup,cgroup2)";
const ADDRESS = `${FIRST.prefix}.11`;

story("local machines", () => {
    let driver: Driver;
    let host: HostBefore;
    let id: unknown;

    const first = (change: object = {}): object => ({ ...driver.machine(FIRST.lab, FIRST.prefix, "cp-1"), ...change });
    const on = (commandLine: string): string => {
        const { code, stdout, stderr } = driver.ssh(ADDRESS, commandLine);
        if (code !== 0) {
            throw new Error(`${commandLine}: ${stderr || stdout}`);
        }
        return stdout;
    };

    beforeAll(() => {
        driver = new Driver();
        host = new HostBefore(/test-machines|10\.251\.[12]\./);
    });
    afterAll(() => {
        for (const { lab } of [FIRST, SECOND]) {
            driver.run("network", "delete", { lab });
        }
        driver.remove();
    }, 60_000);

    it("don't come up without their lab's network", () => {
        const { code, stderr } = driver.run("machine", "create", first());
        expect(code).toBe(1);
        expect(stderr).toBe(`cp-1: lab "${FIRST.lab}" has no network on this host. Create the network first.\n`);
    }, 600_000);

    it("come up once, however often they are asked for", () => {
        const network = driver.network(FIRST.lab, FIRST.prefix);
        driver.succeed("network", "create", network);
        const created = driver.succeed("machine", "create", first());
        id = created["id"];
        expect(created).toEqual({
            id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
            address: ADDRESS,
            facts: expect.objectContaining({ failSwapOn: false }) as object,
        });
        driver.succeed("network", "create", network);
        expect(driver.succeed("machine", "create", first())).toEqual(created);
        expect(listMachines(FIRST.lab)).toEqual(["cp-1"]);
        expect(machineStatus(FIRST.lab, "cp-1")).toBe("running");
    }, 600_000);

    it("boot whole, as the machine they were asked to be", () => {
        expect(on("systemctl is-system-running --wait; systemctl --failed --no-legend")).toBe("running");
        expect(on("hostname; getent hosts api.test-machines-1")).toMatch(/^cp-1\n10\.251\.1\.10 /);
        expect(on("ip -brief -4 address show eth0")).toMatch(/10\.251\.1\.11\/24 10\.251\.1\.10\/24$/);
    });

    it("prove who they are with the host key they were given", () => {
        expect(driver.ssh(ADDRESS, "true", { hostKey: "other-host-key" }).stderr).toMatch(/verification failed/i);
        expect(on("ls /etc/ssh/ssh_host_*")).toBe("/etc/ssh/ssh_host_ed25519_key");
        expect(on("sshd -T | grep -E '^(passwordauthentication|permitrootlogin) '")).toBe(
            "permitrootlogin without-password\npasswordauthentication no",
        );
    });

    it("can do what a kubelet does, and not what is the host's business", () => {
        const host = readFileSync("/proc/sys/kernel/panic", "utf8");
        on(`for cgroup in ${CGROUPS}; do mkdir "$cgroup/kubepods" && rmdir "$cgroup/kubepods" || exit 1; done`);
        expect(on("findmnt --noheadings --output PROPAGATION /")).toBe("shared");
        expect(on("findmnt --noheadings --output FSTYPE --target /var/lib/containerd")).not.toBe("overlay");
        on("sysctl --quiet kernel.panic=77 vm.overcommit_memory=1 net.ipv4.ip_forward=1");
        expect(on("cat /proc/sys/kernel/panic")).toBe("77");
        expect(readFileSync("/proc/sys/kernel/panic", "utf8")).toBe(host);
        expect(driver.ssh(ADDRESS, "sysctl kernel.pid_max=1000").code).not.toBe(0);
        on("test ! -e /proc/sysrq-trigger || findmnt /proc/sysrq-trigger");
    });

    it("reach the lab's registry over TLS", async () => {
        const network = driver.network(FIRST.lab, FIRST.prefix) as { registryCertificate: string };
        await eventually(10, () => {
            const answer = on(
                `curl -sS -o /dev/null -w '%{http_code}' --cacert /dev/stdin https://10.251.1.1:5000/v2/ <<'PEM'\n${network.registryCertificate}PEM`,
            );
            expect(answer).toBe("200");
        });
    }, 20_000);

    it("forget links, routes and processes in a reboot, and keep their disk and address", async () => {
        const boot = on("cat /proc/sys/kernel/random/boot_id");
        on(`for cgroup in ${CGROUPS}; do mkdir "$cgroup/stray" || exit 1; done`);
        on("ip link add stray type bridge; ip link set stray up; ip route add 192.0.2.128/25 dev stray");
        // As pods do: process 1 of its pod ignores SIGTERM, and outlives the service that started it.
        on("systemd-run --quiet --property=KillMode=process sh -c 'unshare --fork --pid sleep 600 & sleep 0.2'");
        on("echo kept > /root/kept; nft add table ip stray; systemctl reboot");
        await eventually(30, () => {
            expect(on("cat /proc/sys/kernel/random/boot_id")).not.toBe(boot);
        });
        const left = on(`ip -brief link; ip route; nft list ruleset; find ${CGROUPS} -maxdepth 1 -type d`);
        expect(left).toContain("default via 10.251.1.1");
        expect(left).not.toMatch(/stray|192\.0\.2/);
        expect(on("ip -brief -4 address show eth0; cat /root/kept")).toMatch(/10\.251\.1\.11\/24 .*\nkept$/);
        expect(driver.succeed("machine", "create", first())["id"]).toBe(id);
        expect(on("journalctl --list-boots --quiet | wc -l")).toBe("2");
    }, 60_000);

    it("stay off when they are powered off, and are started again as the same machine", async () => {
        on("systemctl poweroff");
        await eventually(30, () => {
            expect(machineStatus(FIRST.lab, "cp-1")).toBe("stopped");
        });
        expect(driver.succeed("machine", "create", first())["id"]).toBe(id);
        expect(on("cat /root/kept")).toBe("kept");
    }, 60_000);

    it("take over a changed key while they run, and refuse other addresses", () => {
        const authorizedKeys = [driver.publicKey("other-user-key")];
        expect(driver.succeed("machine", "create", first({ authorizedKeys }))["id"]).toBe(id);
        expect(driver.ssh(ADDRESS, "true", { userKey: "other-user-key" }).code).toBe(0);
        expect(driver.ssh(ADDRESS, "true").code).not.toBe(0);
        const moved = driver.run("machine", "create", first({ authorizedKeys, addresses: ["10.251.1.99/24"] }));
        expect(moved.code).toBe(1);
        expect(moved.stderr).toMatch(/^cp-1 runs with the addresses 10\.251\.1\.11.*Delete the machine first\.\n$/);
        expect(driver.succeed("machine", "create", first())["id"]).toBe(id);
        expect(on("true")).toBe("");
    }, 60_000);

    it("live beside those of another lab, in a range of its own", () => {
        const overlap = driver.run("network", "create", driver.network(SECOND.lab, FIRST.prefix));
        expect(overlap.stderr).toContain(`overlaps with 10.251.1.0/24, which the lab "${FIRST.lab}" uses`);
        driver.succeed("network", "create", driver.network(SECOND.lab, SECOND.prefix));
        const other = driver.succeed("machine", "create", driver.machine(SECOND.lab, SECOND.prefix, "cp-1"));
        expect(other["id"]).not.toBe(id);
        const cgroups = "cat /proc/1/cgroup; ls /sys/fs/cgroup/systemd /sys/fs/cgroup/*/system.slice 2>/dev/null";
        expect(on(cgroups)).not.toMatch(/kubelab|payload/);
        driver.succeed("network", "delete", { lab: SECOND.lab });
        expect(machineStatus(SECOND.lab, "cp-1")).toBe("absent");
        expect(on("hostname")).toBe("cp-1");
    }, 60_000);

    it("leave nothing on the host", async () => {
        driver.succeed("machine", "delete", first());
        driver.succeed("network", "delete", driver.network(FIRST.lab, FIRST.prefix));
        expect(driver.succeed("machine", "delete", first())).toEqual({ deleted: false });
        expect(driver.succeed("network", "delete", { lab: FIRST.lab })).toEqual({ deleted: false });
        await host.expectAsBefore(5);
    }, 60_000);
});
