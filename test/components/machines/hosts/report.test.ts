import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { hostname, totalmem } from "node:os";
import { join } from "node:path";
import { parseReport } from "../../../../components/machines/hosts/report";

const WHOLE = `clock 1795281752.698499
hostname server-1
machine-id 3d1219c7c4c5404aaa1f6d2a48adfda4
os ubuntu 24.04 Ubuntu 24.04.3 LTS
architecture aarch64
kernel 6.8.0-60-generic
init systemd
cgroup v2
memory 4012340
swap on
no-oom-score
fixed-conntrack
room /opt 57658490880
room /var/lib 1024
missing conntrack conntrack
no-kernel ip_vs
claim-cluster 0f0f
claim-lab prod
claim-stack organization/kubelab/prod
claim-machine-id 3d1219c7c4c5404aaa1f6d2a48adfda4
unit docker.service /lib/systemd/system/docker.service
program /usr/bin/dockerd
files /etc/cni/net.d
port tcp 22 0.0.0.0 sshd
port udp 68 [::] 
firewall ufw
mac 52:54:00:12:34:56 ens3
address 127.0.0.1 8
address 192.168.7.11 24
unsynchronized
unresolved registry.k8s.io
resolv-conf /run/systemd/resolve/resolv.conf
name-servers 192.0.2.53 2001:db8::53 
end
`;

describe("what a host tells of itself", () => {
    it("is read in whole", () => {
        expect(parseReport(WHOLE)).toEqual({
            clock: 1795281752.698499,
            hostname: "server-1",
            machineId: "3d1219c7c4c5404aaa1f6d2a48adfda4",
            os: { id: "ubuntu", version: "24.04", name: "Ubuntu 24.04.3 LTS" },
            architecture: "aarch64",
            kernel: "6.8.0-60-generic",
            init: "systemd",
            cgroup: "v2",
            memory: 4012340,
            swap: true,
            oomScore: false,
            fixedConntrack: true,
            room: { "/opt": 57658490880, "/var/lib": 1024 },
            missing: [{ package: "conntrack", program: "conntrack" }],
            lacks: ["ip_vs"],
            claim: {
                cluster: "0f0f",
                lab: "prod",
                stack: "organization/kubelab/prod",
                machineId: "3d1219c7c4c5404aaa1f6d2a48adfda4",
            },
            foreign: [
                "docker.service (/lib/systemd/system/docker.service)",
                "/usr/bin/dockerd",
                "files in /etc/cni/net.d",
            ],
            ports: [
                { protocol: "tcp", port: 22, address: "0.0.0.0", program: "sshd" },
                { protocol: "udp", port: 68, address: "[::]", program: "" },
            ],
            firewalls: ["ufw"],
            macs: ["52:54:00:12:34:56"],
            addresses: ["127.0.0.1", "192.168.7.11"],
            networks: ["127.0.0.1/8", "192.168.7.11/24"],
            synchronized: false,
            unresolved: ["registry.k8s.io"],
            resolvConf: "/run/systemd/resolve/resolv.conf",
            nameServers: ["192.0.2.53", "2001:db8::53"],
        });
    });

    it("is refused where it breaks off", () => {
        expect(() => parseReport(WHOLE.slice(0, 100))).toThrow(/the answer breaks off after "/);
    });

    it("is what the script prints of the machine that runs this test", () => {
        const script = join(__dirname, "../../../../components/machines/hosts/inspect.sh");
        const { stdout } = spawnSync("bash", [script], { encoding: "utf8" });
        const report = parseReport(stdout);
        const { stdout: uname } = spawnSync("uname", ["-rm"], { encoding: "utf8" });
        expect(`${report.kernel} ${report.architecture}`).toBe(uname.trim());
        expect(Math.abs(report.clock - Date.now() / 1000)).toBeLessThan(60);
        const file = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "").trim();
        expect(report).toMatchObject({
            hostname: hostname(),
            machineId: file("/etc/machine-id"),
            init: file("/proc/1/comm"),
            cgroup: existsSync("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1",
            memory: Math.floor(totalmem() / 1024),
            swap: file("/proc/swaps").includes("\n"),
        });
        expect(report.room["/opt"]).toBeGreaterThan(0);
        expect(report.addresses).toContain("127.0.0.1");
    }, 30_000);
});
