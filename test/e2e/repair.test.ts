import { rmSync } from "node:fs";
import { endAndRemove, endProcess, hostCgroupLayout, labCgroups } from "../../scripts/machines/cgroups";
import { run, tryRun } from "../../scripts/machines/commands";
import { readMachine } from "../../scripts/machines/records";
import { labNames, machineNames } from "../../scripts/machines/names";
import type { Difference } from "../../scripts/cli/differences";
import type { ClusterStatus } from "../../scripts/cli/status";
import { parseSystemctlShow } from "../../scripts/cli/systemctl-show";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const NAME = "test-repair";
const NODES = ["cp-1", "worker-1", "worker-2"] as const;

/** A way to break the cluster: on which machine, by which command line, and how `status` has to call it. */
type Break = readonly [what: string, node: string, command: string, seen: string];

const KUBECTL = "kubectl --kubeconfig /etc/kubernetes/super-admin.conf";
const BREAKS: readonly Break[] = [
    ["a unit stopped", "worker-1", "systemctl stop kube-proxy", "kube-proxy.service: inactive"],
    [
        "a unit masked",
        "worker-1",
        "systemctl stop kubelet; ln -sf /dev/null /etc/systemd/system/kubelet.service; systemctl daemon-reload",
        "kubelet.service: masked",
    ],
    [
        "a unit disabled",
        "worker-1",
        "systemctl disable --quiet containerd",
        "containerd.service: doesn't start at boot: disabled",
    ],
    [
        "a unit's flag edited",
        "cp-1",
        "sed -i s/--kube-api-qps=500/--kube-api-qps=5/ /etc/systemd/system/kube-controller-manager.service; systemctl daemon-reload; systemctl restart kube-controller-manager",
        "/etc/systemd/system/kube-controller-manager.service: edited",
    ],
    [
        "settings added to a unit",
        "cp-1",
        "mkdir /etc/systemd/system/kube-scheduler.service.d; printf '[Service]\\nNice=10\\n' >/etc/systemd/system/kube-scheduler.service.d/nice.conf; systemctl daemon-reload",
        "kube-scheduler.service: has other settings from /etc/systemd/system/kube-scheduler.service.d/nice.conf",
    ],
    [
        "a config file edited",
        "worker-1",
        "echo 'maxPods: 3' >>/etc/kubernetes/kubelet/kubelet.yaml",
        "/etc/kubernetes/kubelet/kubelet.yaml: edited",
    ],
    [
        "a certificate removed",
        "worker-1",
        "rm /etc/kubernetes/kube-proxy/client.crt",
        "/etc/kubernetes/kube-proxy/client.crt: gone",
    ],
    [
        "a key opened to everyone",
        "worker-1",
        "chmod 0644 /etc/kubernetes/kube-proxy/client.key",
        "/etc/kubernetes/kube-proxy/client.key: mode and owner 644 root root, not 400 root root",
    ],
    ["a route deleted", "worker-1", "ip route del 10.99.2.0/24", "kubenet: route 10.99.2.0/24 via 10.231.0.22"],
    [
        "a rule deleted",
        "worker-1",
        "iptables -t nat -F KUBENET-POSTROUTING",
        "kubenet: iptables nat: rules of KUBENET-POSTROUTING are gone or changed",
    ],
    ["the pods' bridge deleted", "worker-1", "ip link del cbr0", "kubenet: bridge cbr0: gone"],
    ["a program's link removed", "worker-1", "rm /usr/local/bin/runc", "/usr/local/bin/runc: gone"],
    [
        "a program damaged",
        "worker-1",
        'echo damage >>"$(readlink -f /opt/cni/bin/portmap)"',
        "/portmap: isn't the program that was put there",
    ],
    [
        "a kernel setting changed",
        "worker-1",
        "sysctl -qw net.bridge.bridge-nf-call-iptables=0",
        "sysctl net.bridge.bridge-nf-call-iptables: 0, not 1",
    ],
    [
        "the API's name taken from /etc/hosts",
        "worker-1",
        "sed '/ # kubelab$/d' /etc/hosts >/root/hosts; cat /root/hosts >/etc/hosts",
        "/etc/hosts: lines that end in '# kubelab' are gone or changed",
    ],
    [
        "a taint taken off",
        "cp-1",
        `${KUBECTL} taint node cp-1 node-role.kubernetes.io/control-plane:NoSchedule-`,
        "API: node cp-1: taint node-role.kubernetes.io/control-plane:NoSchedule: gone",
    ],
    [
        "a label taken off",
        "cp-1",
        `${KUBECTL} label node worker-2 node-role.kubernetes.io/worker-`,
        "API: node worker-2: label node-role.kubernetes.io/worker: gone",
    ],
    [
        "a role binding deleted",
        "cp-1",
        `${KUBECTL} delete clusterrolebinding kubelab:kube-apiserver-to-kubelet`,
        "API: ClusterRoleBinding kubelab:kube-apiserver-to-kubelet: gone",
    ],
    [
        "the cluster's DNS scaled to nothing",
        "cp-1",
        `${KUBECTL} -n kube-system scale deployment coredns --replicas=0`,
        "API: Deployment coredns: changed",
    ],
    ["a record lost", "cp-1", "rm /var/lib/kubelab/record/cp-1-etcd", "/var/lib/kubelab/record/cp-1-etcd: gone"],
];

story("repair", () => {
    let lab: Lab;
    let started: Readonly<Record<string, string>>;
    let ids: readonly string[];

    beforeAll(() => {
        lab = new Lab("repair", "10.231.0.0/24");
        lab.up();
        lab.kubectl("create", "configmap", "kept", "--from-literal=word=kept");
        lab.kubectl("run", "web", "--image=nginx", "--overrides", '{"spec":{"nodeName":"worker-1"}}');
        lab.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s");
        started = startTimes();
        ids = machineIds();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    /** `<node> <unit>` and when it was last started. */
    function startTimes(): Record<string, string> {
        return Object.fromEntries(
            NODES.flatMap((node) =>
                parseSystemctlShow(
                    lab.ssh(
                        node,
                        "systemctl show --property=Id,ActiveEnterTimestampMonotonic etcd kube-apiserver kube-scheduler containerd kubelet kube-proxy kubenet",
                    ),
                ).map((unit) => [`${node} ${unit["Id"] ?? ""}`, unit["ActiveEnterTimestampMonotonic"] ?? ""]),
            ),
        );
    }

    const machineIds = (): string[] => NODES.map((node) => readMachine(NAME, node)?.id ?? "none");

    function status(): { readonly code: number; readonly lines: string[]; readonly text: string } {
        const { code, stdout, stderr } = lab.run("status", ["--json"], 60);
        if (!stdout.startsWith("{")) {
            throw new Error(`status: ${stdout}${stderr}`);
        }
        const { host, nodes } = JSON.parse(stdout) as ClusterStatus;
        const line = (where: string) => (each: Difference) => `${where}: ${each.subject}: ${each.difference}`;
        const lines = [...host.map(line("host")), ...nodes.flatMap((n) => n.differences.map(line(n.name)))];
        return { code, lines, text: lines.join("\n") };
    }

    it("has nothing to do where nothing differs", () => {
        expect(status()).toEqual({ code: 0, lines: [], text: "" });
        expect(lab.succeed("repair")).toContain("no drift");
    }, 60_000);

    describe("of a machine's and the API's parts", () => {
        let seen = "";

        beforeAll(() => {
            for (const node of NODES) {
                const commands = BREAKS.filter(([, where]) => where === node).map(([, , command]) => `(${command})`);
                if (commands.length > 0) {
                    lab.ssh(node, `set -e; ${commands.join("; ")} >/dev/null`);
                }
            }
            run("nft", ["delete", "table", "ip", labNames(NAME).table]);
            seen = status().text;
        }, 120_000);

        it.each(BREAKS.map(([what, node, , text]) => ({ what, node, text })))("sees $what", ({ node, text }) => {
            expect(seen.split("\n").filter((line) => line.startsWith(`${node}: `) && line.includes(text))).toHaveLength(
                1,
            );
        });

        it("sees the host's way out of the lab gone", () => {
            expect(seen).toContain(`host: nftables table kubelab-${NAME}: gone`);
        });

        it("sees nothing on a machine that nobody touched", () => {
            expect(seen).not.toMatch(/^worker-2: /m);
        });

        it("puts all of it back, and says what", () => {
            const { code, stdout, stderr } = lab.run("repair", [], 300);
            expect(`${code} ${code === 0 ? "" : stdout + stderr}`).toBe("0 ");
            const putBack = stdout.split("\n").filter((line) => line.startsWith("put back: "));
            for (const line of seen.split("\n")) {
                expect(putBack).toContain(`put back: ${line}`);
            }
            expect(status()).toEqual({ code: 0, lines: [], text: "" });
        }, 300_000);

        it("rebuilds no machine and restarts nothing that was well", () => {
            expect(machineIds()).toEqual(ids);
            const now = startTimes();
            const restarted = Object.keys(now).filter((unit) => now[unit] !== started[unit]);
            expect(restarted.sort()).toEqual([
                "cp-1 kube-scheduler.service",
                "worker-1 kube-proxy.service",
                "worker-1 kubelet.service",
            ]);
        });

        it("has the pod on the deleted bridge answer again, from another node", async () => {
            const address = lab.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}").trim();
            await eventually(30, () =>
                expect(lab.ssh("worker-2", `curl -sS --max-time 2 http://${address}/`)).toContain("Welcome to nginx"),
            );
        }, 60_000);

        it("leaves an up without changes nothing to do", () => {
            expect(lab.upChanges()).toEqual(NO_CHANGES);
        }, 120_000);
    });

    it("starts a machine again that was killed, with its disk", async () => {
        await endProcess(hostCgroupLayout(), { lab: NAME, machine: "worker-2" });
        expect(status().lines).toEqual(["worker-2: machine: doesn't run; its disk is there"]);
        lab.succeed("repair", ["worker-2"], 300);
        expect(machineIds()).toEqual(ids);
    }, 300_000);

    it("makes a worker anew whose disk is gone", async () => {
        await destroyMachine("worker-2");
        expect(status().lines).toEqual(["worker-2: machine: gone, with its disk"]);
        lab.succeed("repair", ["worker-2"], 300);
        expect(machineIds().slice(0, 2)).toEqual(ids.slice(0, 2));
        expect(status()).toMatchObject({ code: 0, lines: [] });
    }, 300_000);

    it("starts the lab again after a reboot of the host, with all that was in the cluster", async () => {
        const before = machineIds();
        await rebootHost();
        expect(status().lines).toHaveLength(3 + NODES.length);
        lab.succeed("start");
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expect(machineIds()).toEqual(before);
        expect(lab.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.word}")).toContain("kept");
        expect(status()).toMatchObject({ code: 0, lines: [] });
    }, 300_000);

    it("makes an empty cluster work where the control plane's disk is gone: its workers join again", async () => {
        await destroyMachine("cp-1");
        expect(status().lines).toContain("cp-1: machine: gone, with its disk");
        const { code, stdout, stderr } = lab.run("repair", [], 400);
        expect(`${code} ${code === 0 ? "" : stdout + stderr}`).toBe("0 ");
        const labels = lab.kubectl("get", "nodes", "-L", "kubernetes.io/hostname", "--no-headers");
        expect(
            labels
                .trim()
                .split("\n")
                .map((line) => line.split(/ +/).at(-1)),
        ).toEqual([...NODES]);
    }, 500_000);

    it("passes every check in the end, and an up without changes has nothing to do", () => {
        expect(lab.succeed("verify")).toMatch(/all \d+ checks passed/);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 300_000);

    async function destroyMachine(machine: string): Promise<void> {
        await endProcess(hostCgroupLayout(), { lab: NAME, machine });
        run("rm", ["-rf", "--one-file-system", machineNames(NAME, machine).directory]);
    }

    /** Takes away all of the lab that a reboot would: everything but what is on disk. */
    async function rebootHost(): Promise<void> {
        const layout = hostCgroupLayout();
        const { bridge, table, runDirectory } = labNames(NAME);
        await Promise.all(NODES.map((machine) => endProcess(layout, { lab: NAME, machine })));
        await endProcess(layout, { lab: NAME });
        await endAndRemove(labCgroups(layout, NAME));
        for (const machine of NODES) {
            const { interface: port, networkNamespace } = machineNames(NAME, machine);
            tryRun("ip", ["link", "delete", port]);
            tryRun("ip", ["netns", "delete", networkNamespace]);
        }
        run("ip", ["link", "delete", bridge]);
        run("nft", ["delete", "table", "ip", table]);
        rmSync(runDirectory, { recursive: true });
    }
});
