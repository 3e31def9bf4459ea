import { existsSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "../support/driver";
import { HostBefore } from "../support/host-state";
import { eventually } from "../support/lab";
import { OrdinaryUser } from "../support/ordinary-user";
import { keepsForInspection, stopStory, story } from "../support/story";

story("virtual machines of an ordinary user", () => {
    const lab = "test-user";
    const prefix = "10.252.6";
    let host: HostBefore;
    let user: OrdinaryUser;
    let keys: Driver;

    const network = (): object => ({
        ...keys.network(lab, prefix),
        partsDirectory: join(user.home, "parts"),
        loopback: "127.252.6.1",
    });
    const machine = (name: string, number: number): object => ({
        ...keys.machine(lab, prefix, name),
        addresses: [`${prefix}.${number}/24`],
        forwards: { [`127.252.6.${number}:2222`]: `${prefix}.${number}:22` },
        driver: "qemu",
        vm: { cpus: 2, memory: 1024, disk: 8, accelerator: "auto" },
    });
    const on = (number: number, commandLine: string): string => {
        const { code, stdout, stderr } = keys.ssh(`127.252.6.${number}`, commandLine, { port: 2222 });
        if (code !== 0) {
            throw new Error(`${commandLine}: ${stderr || stdout}`);
        }
        return stdout;
    };

    beforeAll(() => {
        host = new HostBefore(/test-user|10\.252\.6\.|127\.252\.6\./);
        keys = new Driver(30);
        user = new OrdinaryUser("kubelab-test");
    }, 120_000);
    afterAll(() => {
        if (!keepsForInspection()) {
            user.run(
                [process.execPath, "--require", "tsx/cjs", "scripts/machines/main.ts", "network", "delete"],
                `{"lab":"${lab}"}`,
            );
            user.remove();
        }
        keys.remove();
    }, 60_000);

    it("boot from an image that is made without root, and are reached by ports of the loopback", () => {
        try {
            user.driver("network", "create", network());
            user.driver("machine", "create", machine("cp-1", 11));
            user.driver("machine", "create", machine("worker-1", 21));
        } catch (error) {
            stopStory();
            throw error;
        }
        expect(on(11, "hostname; stat -c '%u:%g %a' /etc/shadow /usr/bin/sudo")).toBe("cp-1\n0:42 640\n0:0 4755");
        expect(on(21, "hostname; systemctl is-system-running --wait")).toBe("worker-1\nrunning");
    }, 1_500_000);

    it("reach each other by the addresses of the lab, and the registry at its gateway", () => {
        const key = on(11, "ssh-keygen -q -t ed25519 -N '' -f /root/key; cat /root/key.pub");
        on(21, `echo '${key}' >>/root/.ssh/authorized_keys`);
        const ssh = "ssh -i /root/key -o StrictHostKeyChecking=accept-new";
        expect(on(11, `${ssh} root@${prefix}.21 'hostname; echo $SSH_CONNECTION'`)).toMatch(
            /worker-1\n10\.252\.6\.11 \d+ 10\.252\.6\.21 22$/,
        );
        expect(on(21, `curl -sk -m 20 -o /dev/null -w '%{http_code}' https://${prefix}.1:5000/v2/`)).toBe("200");
    }, 120_000);

    it("don't reach what listens on the workstation's loopback", () => {
        const route = "ip route del local 127.0.0.0/8 table local; ip route add 127.252.6.0/24 via 10.252.6.1";
        const settings = "sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1";
        const curl = "curl -sk -m 5 -o /dev/null --interface 10.252.6.21 https://127.252.6.1:5000/v2/";
        expect(on(21, `${settings}; ${route}; ${curl} || echo refused`)).toBe("refused");
        on(21, "ip route del 127.252.6.0/24; ip route add local 127.0.0.0/8 dev lo table local");
    }, 120_000);

    it("belong to the user alone: processes, files, ports of the loopback", () => {
        expect(user.processes().filter((line) => line.includes("guest=test-user-"))).toHaveLength(2);
        expect(
            user.run(["find", `${user.home}/.local/state/kubelab/labs`, "-not", "-type", "l", "-perm", "/077"]).stdout,
        ).toBe("");
        const listening = user.run([
            "bash",
            "-c",
            "ss -Hltn | awk '{print $4}' | grep -E ':(2222|5000)$' | sort",
        ]).stdout;
        expect(listening).toContain("127.252.6.11:2222");
        expect(listening).not.toMatch(/^(0\.0\.0\.0|\*|\[::\])/m);
    }, 60_000);

    it("are started again, with their disks, where the switch has ended", async () => {
        on(11, "echo kept >/root/kept; sync");
        expect(user.driver("machine", "create", machine("cp-1", 11))).toHaveProperty("id");
        expect(on(11, "cat /root/kept; cut -d. -f1 /proc/uptime")).toMatch(/^kept\n\d{2,}/);
        user.run(["bash", "-c", "kill -9 $(pgrep -f 'bin/switch -network=10.252.6.0')"]);
        await eventually(10, () => {
            expect(user.processes().filter((line) => line.includes("bin/switch"))).toEqual([]);
        });
        user.driver("network", "create", network());
        user.driver("machine", "create", machine("cp-1", 11));
        expect(on(11, "cat /root/kept")).toBe("kept");
    }, 900_000);

    it("leave nothing of the user's, and nothing on the host", async () => {
        for (const [name, number] of [
            ["cp-1", 11],
            ["worker-1", 21],
        ] as const) {
            user.driver("machine", "delete", machine(name, number));
        }
        expect(user.driver("network", "delete", { lab })).toEqual({ deleted: true });
        expect(user.driver("network", "delete", { lab })).toEqual({ deleted: false });
        expect(user.processes()).toEqual([]);
        expect(existsSync(join(user.home, ".local/state/kubelab"))).toBe(false);
        user.remove();
        await host.expectAsBefore(5);
    }, 120_000);
});
