import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { run } from "../../scripts/machines/commands";
import { labNames, machineNames } from "../../scripts/machines/names";
import { vmFiles } from "../../scripts/machines/qemu/files";
import { ask } from "../../scripts/machines/qemu/monitor";
import { listMachines, machineDifferences, machineStatus } from "../../scripts/machines/status";
import { Driver } from "../support/driver";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, NO_CHANGES } from "../support/lab";
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
        vm: { memory: 1024, disk: 10 },
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
        expect(Number(on("df --output=size -BG / | tail -1").replace("G", ""))).toBeGreaterThanOrEqual(9);
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

    it("leave nothing on the host", async () => {
        driver.succeed("machine", "delete", request());
        driver.succeed("network", "delete", { lab });
        expect(driver.succeed("machine", "delete", request())).toEqual({ deleted: false });
        await eventually(5, () => {
            expect(host.differences()).toEqual([]);
        });
    }, 60_000);
});

/** Pods of the control plane's and of the worker's side, and a service for both. */
const PODS = ["cp-1", "worker-1"]
    .map(
        (node) => `apiVersion: v1
kind: Pod
metadata: {name: on-${node}, labels: {app: both}}
spec:
    nodeName: ${node}
    tolerations: [{operator: Exists}]
    containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
`,
    )
    .join("");
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: both}
spec: {selector: {app: both}, ports: [{port: 80}]}
`;

story("a lab of a container and a virtual machine", () => {
    let lab: Lab;
    let host: HostBefore;

    /** Whether nginx answers at an address, asked on a machine. */
    const answers = (node: string, at: string): string =>
        lab.ssh(node, `curl -sS -m 10 -o /dev/null -w '%{http_code}' http://${at}/`).trim();
    const podIp = (name: string): string => lab.kubectl("get", "pod", name, "-o", "jsonpath={.status.podIP}").trim();

    beforeAll(() => {
        lab = new Lab("mixed", "10.252.2.0/24");
        lab.configure({
            workers: 1,
            local: {
                network: "10.252.2.0/24",
                driver: { controlPlanes: "nspawn", workers: "qemu" },
                memory: 1536,
            },
        });
        host = new HostBefore(/test-mixed|10\.252\.2\./);
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("comes up: both nodes Ready, each with its own kernel", () => {
        const { seconds, phases } = lab.up();
        console.log(`up of a container and a virtual machine: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`);
        const kernels = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kernelVersion}");
        const [ofContainer, ofMachine] = kernels.trim().split(" ");
        expect(ofContainer).toBe(release());
        expect(ofMachine).toMatch(/cloud/);
        expect(lab.kubectl("get", "nodes", "--no-headers")).toMatch(/^cp-1 +Ready [^]*^worker-1 +Ready /m);
    }, 900_000);

    it("runs pods on both, which reach each other by their addresses and by a service", async () => {
        writeFileSync(join(lab.directory, "pods.yaml"), `${PODS}${SERVICE}`);
        lab.kubectl("apply", "-f", join(lab.directory, "pods.yaml"));
        lab.kubectl("wait", "--for=condition=Ready", "pod/on-cp-1", "pod/on-worker-1", "--timeout=180s");
        const service = lab.kubectl("get", "service", "both", "-o", "jsonpath={.spec.clusterIP}").trim();
        await eventually(60, () => {
            expect(answers("cp-1", podIp("on-worker-1"))).toBe("200");
            expect(answers("worker-1", podIp("on-cp-1"))).toBe("200");
            expect([1, 2, 3, 4].map(() => answers("worker-1", service))).toEqual(["200", "200", "200", "200"]);
            expect(answers("cp-1", service)).toBe("200");
        });
        expect(lab.kubectl("exec", "on-worker-1", "--", "cat", "/proc/sys/kernel/osrelease")).toMatch(/cloud/);
        expect(lab.kubectl("logs", "on-worker-1")).toMatch(/GET \/ HTTP/);
    }, 400_000);

    it("finds nothing to do in a second up, and nothing amiss in its status", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expect(lab.succeed("status")).not.toMatch(/drift/);
    }, 200_000);

    it("heals after the virtual machine has rebooted", async () => {
        const boot = (): string => lab.ssh("worker-1", "cat /proc/sys/kernel/random/boot_id");
        const earlier = boot();
        lab.run("ssh", ["worker-1", "--", "systemctl reboot"], 60);
        await eventually(BOOT, () => {
            expect(boot()).not.toBe(earlier);
        });
        await eventually(180, () => {
            expect(answers("cp-1", podIp("on-worker-1"))).toBe("200");
            expect(answers("worker-1", podIp("on-cp-1"))).toBe("200");
        });
        expect(lab.kubectl("get", "node", "worker-1", "--no-headers")).toMatch(/ Ready /);
    }, 600_000);

    it("goes down and takes everything with it", async () => {
        lab.down();
        await eventually(10, () => {
            expect(host.differences()).toEqual([]);
        });
    }, 120_000);
});

function commandLine(pid: string): string {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
        return "";
    }
}
