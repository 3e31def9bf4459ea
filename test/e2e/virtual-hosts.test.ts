import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "../support/driver";
import { ExistingHosts, type WantedHost } from "../support/existing-hosts";
import { differences, machineState } from "../support/host-state";
import { eventually, NO_CHANGES, story } from "../support/lab";
import { TwoNodes } from "../support/virtual-worker";

const NETWORK = "10.252.5";
const CONTAINER: WantedHost = { name: "cp-1", position: 11, release: "bookworm" };
const VIRTUAL: WantedHost = { name: "worker-1", position: 12, release: "bookworm", vm: { memory: 1536 } };

/** Seconds that the preflight lets its script on a host take. */
const PREFLIGHT = 40;
const INSPECT = readFileSync(join(__dirname, "../../components/machines/hosts/inspect.sh"), "utf8");

const SWAP = "fallocate -l 64M /swap; chmod 600 /swap; mkswap /swap >/dev/null; swapon /swap";
/** Lets SSH in, and else only what comes from `sources`. */
const firewall = (...sources: readonly string[]): string => `
nft delete table inet own 2>/dev/null
nft -f - <<'RULES'
table inet own {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        iifname lo accept
        tcp dport 22 accept
        ${sources.map((source) => `ip saddr ${source} accept`).join("\n        ")}
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        ${sources.map((source) => `ip saddr ${source} accept`).join("\n        ")}
        ${sources
            .slice(-1)
            .map((pods) => `ip daddr ${pods} accept`)
            .join("\n        ")}
    }
}
RULES`;

story("a cluster on hosts of which one is a virtual machine", () => {
    let hosts: ExistingHosts;
    let lab: TwoNodes;
    let before: Set<string>;

    const on = (commandLine: string): string => hosts.root(VIRTUAL, commandLine);
    const preflight = (): { readonly code: number; readonly said: string } => {
        const { code, stdout, stderr } = lab.run("up", ["--preview"]);
        return { code, said: `${stdout}\n${stderr}` };
    };

    beforeAll(() => {
        const driver = new Driver(20, [
            ...["-o", "ControlMaster=auto", "-o", "ControlPath=/tmp/kubelab-test-%C", "-o", "ControlPersist=20"],
        ]);
        hosts = new ExistingHosts("test-vhosts-machines", NETWORK, driver);
        lab = new TwoNodes("vhosts", {
            provider: "hosts",
            // Its image takes an emulated machine a minute, and it shows nothing that the pods here do not.
            components: { dns: false },
            registryMirrors: { _default: [hosts.registry] },
            hosts: [hosts.entry(CONTAINER, "control-plane"), hosts.entry(VIRTUAL, "worker")],
        });
        hosts.create([CONTAINER, VIRTUAL]);
    }, 900_000);
    afterAll(() => {
        lab.remove();
        hosts.remove();
    }, 180_000);

    it("passes the preflight as it is, in the time that a host has for it", () => {
        const start = Date.now();
        expect(hosts.driver.ssh(hosts.address(VIRTUAL), `bash -s <<'INSPECT'\n${INSPECT}\nINSPECT`).stdout).toMatch(
            /^cgroup v2$[^]*^end$/m,
        );
        const seconds = (Date.now() - start) / 1000;
        const { code, said } = preflight();
        console.log(`preflight of a virtual machine: ${seconds.toFixed(1)} s; the preview with it: ${said}`);
        expect(said).not.toMatch(/aren't ready|firewall|swap|kernel \(/);
        expect(code).toBe(0);
        expect(seconds).toBeLessThan(PREFLIGHT);
    }, 200_000);

    it("is told by name what closes its ports, and how wrong its clock is; swap is accepted", () => {
        on(`${SWAP}\n${firewall()}\ntimedatectl set-ntp false 2>/dev/null; date --set '-1 hour'`);
        const { code, said } = preflight();
        on("date --set '+1 hour'");
        expect(code).not.toBe(0);
        expect(said).toContain("(2 problems); nothing was changed on them");
        expect(said).toMatch(
            /worker-1: has a clock that is 3[56]\d\d seconds behind this machine's; set both by the network: 'timedatectl set-ntp true'/,
        );
        expect(said).toContain(
            `cp-1: can't reach TCP 10250 (kubelet), 10256 (kube-proxy) of worker-1 at ${NETWORK}.12: no answer within three seconds; open them to ${NETWORK}.11 in worker-1's nftables`,
        );
        expect(said).toContain(
            `worker-1: has an active firewall, nftables, which has to let nodes and pods through; if they don't yet, its chains of the hooks input and forward have to accept what comes from ${NETWORK}.11, 10.99.0.0/16; forward also what goes to 10.99.0.0/16`,
        );
        expect(said).not.toMatch(/swap/i);
    }, 200_000);

    it("comes up with swap, and with a firewall that lets through what the preflight said", () => {
        on(firewall(`${NETWORK}.11`, "10.99.0.0/16"));
        before = machineState(on);
        const { seconds, phases } = lab.up();
        console.log(
            `up of a container and a virtual machine as hosts: ${seconds.toFixed(1)} s\n${JSON.stringify(phases)}`,
        );
        expect(lab.kubectl("get", "nodes", "--no-headers")).toMatch(/^cp-1 +Ready [^]*^worker-1 +Ready /m);
        const kubelet = JSON.parse(lab.kubectl("get", "--raw", "/api/v1/nodes/worker-1/proxy/configz")) as object;
        expect(kubelet).toMatchObject({
            kubeletconfig: { cgroupDriver: "systemd", failSwapOn: false, failCgroupV1: true },
        });
        expect(on("swapon --noheadings --show=NAME")).toBe("/swap");
    }, 900_000);

    it("runs pods on both, which reach each other by their addresses and by a service", async () => {
        lab.createPods();
        await lab.podsReachEachOther(60);
        const service = lab.addressOf("service/both");
        await eventually(60, () => {
            expect(lab.answers("worker-1", service, service)).toEqual(["200", "200"]);
            expect(lab.answers("cp-1", service)).toEqual(["200"]);
        });
        expect(lab.kubectl("exec", "on-worker-1", "--", "cat", "/proc/sys/kernel/osrelease")).toMatch(/cloud/);
        expect(lab.kubectl("logs", "on-worker-1")).toMatch(/GET \/ HTTP/);
    }, 400_000);

    it("finds nothing to do in a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 200_000);

    it("goes down, and leaves the virtual machine as it was", async () => {
        lab.down();
        await eventually(10, () => {
            const left = differences(before, machineState(on));
            // The kernel loads them for what packets meet, and unloads none.
            expect(left.filter((line) => !line.startsWith("+ lsmod: "))).toEqual([]);
        });
    }, 300_000);
});
