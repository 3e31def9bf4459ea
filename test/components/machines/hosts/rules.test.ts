import type { HostReport } from "../../../../components/machines/hosts/report";
import { checkHost, type Finding } from "../../../../components/machines/hosts/rules";
import { checkBetween } from "../../../../components/machines/hosts/rules-between";
import type { RawConfig } from "../../../../components/cluster-spec";
import type { ClusterSpec, HostSpec } from "../../../../components/cluster-spec/types";
import { testSpec } from "../../../support/spec";
import { aHost, STACK } from "./a-host";

const hosts = [
    { role: "control-plane", address: "192.168.7.11", keyFile: "/key", hostKey: "ssh-ed25519 AAAA" },
    { role: "worker", address: "192.168.7.12", keyFile: "/key", hostKey: "ssh-ed25519 AAAA" },
];
const specOf = (config: RawConfig = {}): ClusterSpec => testSpec({ provider: "hosts", hosts, ...config });
const text = ({ host, problem, remedy, warning }: Finding): string =>
    `${warning ? "warning: " : ""}${host}: ${problem}; ${remedy}`;

describe("a host", () => {
    const found = (
        report: Partial<HostReport>,
        { spec = specOf(), host = {}, known = undefined as { machineId: string; hostKey: string } | undefined } = {},
    ): string[] => checkHost(aHost(1, report, host), spec, { stack: STACK, known }).map(text);

    it("that has everything is taken", () => {
        expect(found({})).toEqual([]);
        expect(found({ os: { id: "ubuntu", version: "24.04", name: "Ubuntu 24.04.3 LTS" } })).toEqual([]);
        expect(found({ os: { id: "debian", version: "13", name: "Debian GNU/Linux 13 (trixie)" } })).toEqual([]);
        expect(
            found({
                cgroup: "v1",
                swap: true,
                resolvConf: "/run/systemd/resolve/resolv.conf",
                architecture: "aarch64",
            }),
        ).toEqual([]);
    });

    it.each<[string, Partial<HostReport>, string[]]>([
        [
            "runs another distribution",
            { os: { id: "fedora", version: "42", name: "Fedora Linux 42" } },
            [
                "warning: cp-1: runs Fedora Linux 42, which is untested; debian 12, debian 13, ubuntu 24.04 are supported",
            ],
        ],
        ["has no systemd", { init: "init" }, ["cp-1: runs init as process 1; use a host with systemd"]],
        [
            "lacks programs",
            {
                missing: [
                    { package: "conntrack", program: "conntrack" },
                    { package: "iptables", program: "iptables" },
                    { package: "iptables", program: "iptables-restore" },
                ],
            },
            [
                "cp-1: lacks conntrack, iptables, iptables-restore; run 'sudo apt-get install --yes conntrack iptables' on it",
            ],
        ],
        [
            "has little memory and disk",
            { memory: 1 << 20, room: { "/opt": 20 * 2 ** 30, "/var/lib": 2 ** 29 } },
            [
                "cp-1: has 1024 MiB of memory; a control-plane needs 1700 MiB at least",
                "cp-1: has 0.5 GiB free for /var/lib; make room: it needs 3 GiB there",
            ],
        ],
        [
            "has a kernel that lacks what everything needs",
            { lacks: ["overlayfs", "br_netfilter", "nftables", "ip_vs"] },
            [
                "cp-1: has a kernel (6.1.0-37-amd64) without overlayfs; use the distribution's own kernel, with its modules",
                "cp-1: has a kernel (6.1.0-37-amd64) without br_netfilter; use the distribution's own kernel, with its modules",
                "cp-1: has a kernel (6.1.0-37-amd64) without nftables; use the distribution's own kernel, with its modules",
            ],
        ],
        [
            "has a runtime that isn't ours",
            { foreign: ["docker.service (/lib/systemd/system/docker.service)", "/usr/bin/dockerd"] },
            [
                "cp-1: has a container runtime, or Kubernetes, that isn't this cluster's: docker.service (/lib/systemd/system/docker.service), /usr/bin/dockerd; remove it, or use another host: nothing of it is overwritten",
            ],
        ],
        [
            "uses a port that is needed",
            {
                ports: [
                    { protocol: "tcp", port: 6443, address: "*", program: "haproxy" },
                    { protocol: "udp", port: 10250, address: "*", program: "other" },
                    { protocol: "tcp", port: 2379, address: "127.0.0.1", program: "" },
                ],
            },
            [
                "cp-1: uses tcp port 6443 by haproxy, which kube-apiserver needs; stop what listens there: 'sudo ss -lnp sport = :6443'",
                "cp-1: uses tcp port 2379 already, which etcd needs; stop what listens there: 'sudo ss -lnp sport = :2379'",
            ],
        ],
        [
            "has a clock that is off",
            { clock: -3600.4, synchronized: false },
            [
                "cp-1: has a clock that is 3600 seconds behind this machine's; set both by the network: 'timedatectl set-ntp true'",
                "warning: cp-1: has a clock that nothing sets; install systemd-timesyncd or chrony: certificates depend on it",
            ],
        ],
        [
            "can't resolve names",
            { unresolved: ["host-1", "registry.k8s.io"] },
            [
                "cp-1: can't resolve its own name host-1; add it to /etc/hosts: '127.0.1.1 host-1'",
                "warning: cp-1: can't resolve registry.k8s.io; images come from there, unless kubelab:registryMirrors has them",
            ],
        ],
        [
            "is another cluster's node",
            {
                claim: {
                    cluster: "ff",
                    lab: "prod",
                    stack: "organization/kubelab/prod",
                    machineId: aHost().report.machineId,
                },
                ports: [{ protocol: "tcp", port: 6443, address: "*", program: "kube-apiserver" }],
                foreign: ["/usr/local/bin/containerd"],
            },
            [
                "cp-1: is a node of another cluster: lab \"prod\" of the stack organization/kubelab/prod; destroy that one, or take the host out of it; if it is gone for good, run 'sudo bash /var/lib/kubelab/leave' on the host",
            ],
        ],
    ])("that %s is told so", (_, report, expected) => {
        expect(found(report)).toEqual(expected);
    });

    it("that is this cluster's already may have what a cluster has", () => {
        const claim = { cluster: "ff", lab: "test", stack: STACK, machineId: aHost().report.machineId };
        const ports = [{ protocol: "tcp", port: 6443, address: "*", program: "kube-apiserver" }];
        expect(
            found({ claim, ports, foreign: ["containerd.service (/etc/systemd/system/containerd.service)"] }),
        ).toEqual([]);
        expect(found({ ports })).toHaveLength(1);
    });

    it("needs no registry that a mirror stands in for", () => {
        const unresolved = ["registry.k8s.io"];
        const spec = (registry: string): ClusterSpec =>
            specOf({ registryMirrors: { [registry]: ["https://192.168.7.1:5000"] } });
        expect(found({ unresolved }, { spec: spec("_default") })).toEqual([]);
        expect(found({ unresolved }, { spec: spec("registry.k8s.io") })).toEqual([]);
        expect(found({ unresolved }, { spec: spec("docker.io") })).toHaveLength(1);
    });

    it("needs ip_vs only where that is asked for", () => {
        const spec = specOf({ network: "cni", serviceProxy: "ipvs" });
        expect(found({ lacks: ["ip_vs", "nftables"] }, { spec })).toEqual([
            'cp-1: has a kernel (6.1.0-37-amd64) without ip_vs; set kubelab:serviceProxy to "kube-proxy", or install the kernel\'s modules',
        ]);
    });

    it("that was installed anew is noticed, until the person says that it was", () => {
        const [was, is] = ["a".repeat(32), aHost().report.machineId];
        const known = { machineId: was, hostKey: "ssh-ed25519 AAAA" };
        const refused = `cp-1: is another installation than the one that joined: its machine id was ${was} and is ${is}; if it was reinstalled, confirm that in kubelab:hosts with 'machineId: ${is}': it gets everything again; if it is a copy of another disk, give it a machine id of its own`;
        expect(found({}, { known })).toEqual([refused]);
        expect(found({ claim: { cluster: "ff", lab: "test", stack: STACK, machineId: was } })).toEqual([refused]);
        expect(found({}, { known, host: { machineId: is } })).toEqual([]);
        expect(found({}, { known, host: { hostKey: "ssh-ed25519 BBBB" } })).toEqual([]);
        expect(found({}, { known: { machineId: is, hostKey: "ssh-ed25519 AAAA" } })).toEqual([]);
        expect(found({}, { host: { machineId: was } })).toEqual([
            `cp-1: has the machine id ${is}, and kubelab:hosts says ${was}; set it to what /etc/machine-id is on the host, if that is the one you mean`,
        ]);
    });
});

describe("hosts together", () => {
    type Change = { report?: Partial<HostReport>; host?: Partial<HostSpec> };
    const found = (first: Change, second: Change): string[] =>
        checkBetween([aHost(1, first.report, first.host), aHost(2, second.report, second.host)], specOf(), "amd64").map(
            text,
        );

    it("that differ in everything are taken", () => {
        expect(found({}, {})).toEqual([]);
    });

    it("that are copies of each other are told so, by everything that they share", () => {
        const report = { hostname: "debian", machineId: "b".repeat(32), macs: ["52:54:00:00:00:01"] };
        expect(found({ report }, { report })).toEqual([
            "cp-1, worker-1: have one host name, debian; set it with 'sudo hostnamectl hostname …'",
            `cp-1, worker-1: have one machine id, ${"b".repeat(32)}; one is a copy of the other: run 'sudo rm /etc/machine-id /var/lib/dbus/machine-id; sudo systemd-machine-id-setup' on it and reboot`,
            "cp-1, worker-1: have one MAC address, 52:54:00:00:00:01; give the copied VM's network card one of its own",
        ]);
    });

    it("with clocks apart are told so once", () => {
        expect(found({ report: { clock: 4 } }, { report: { clock: -4 } })).toEqual([
            "worker-1, cp-1: have clocks that are 8 seconds apart; set both by the network: 'timedatectl set-ntp true'",
        ]);
        expect(found({ report: { clock: 60 } }, {})).toEqual([]);
    });

    it("of two architectures are refused", () => {
        expect(found({}, { report: { architecture: "aarch64" } })).toEqual([
            "cp-1, worker-1: are of different architectures: cp-1 x86_64, worker-1 aarch64; parts are made for one: use hosts of one kind",
        ]);
    });

    it("of another architecture than this machine's have to get their parts by themselves", () => {
        const arm = [aHost(1, { architecture: "aarch64" }), aHost(2, { architecture: "aarch64" })];
        expect(checkBetween(arm, specOf(), "amd64").map(text)).toEqual([
            'cp-1, worker-1: are machines of aarch64, and parts that are pushed are those of this machine, amd64; set kubelab:parts.delivery to "download"',
        ]);
        expect(checkBetween(arm, specOf({ parts: { delivery: "download" } }), "amd64")).toEqual([]);
        expect(checkBetween(arm, specOf(), "arm64")).toEqual([]);
    });

    it("have the addresses that they are to be reached by", () => {
        expect(found({}, { host: { privateAddress: "10.1.1.1" } })).toEqual([
            "worker-1: doesn't have the address 10.1.1.1 that the other nodes are to reach it by; set privateAddress to one of 192.168.7.12",
        ]);
    });

    it("have the endpoint's address in their subnet, and none of them has it before", () => {
        const moving = specOf({ apiEndpoint: { address: "192.168.8.5" } });
        expect(checkBetween([aHost(1), aHost(2)], moving).map(text)).toEqual([
            "cp-1: is in the network of 192.168.7.11/24, and the address 192.168.8.5 of kubelab:apiEndpoint is not; choose a free address of the subnet that all control planes are in; where they have no common one, set up a load balancer and give it as kubelab:apiEndpoint.loadBalancer",
        ]);
        const near = specOf({ apiEndpoint: { address: "192.168.7.5" } });
        expect(checkBetween([aHost(1), aHost(2)], near)).toEqual([]);
        const taken = aHost(2, { addresses: ["127.0.0.1", "192.168.7.12", "192.168.7.5"] });
        expect(checkBetween([aHost(1), taken], near).map(text)).toEqual([
            "worker-1: has the address 192.168.7.5 of kubelab:apiEndpoint already, which moves between the control planes; take it off the host, or choose a free one",
        ]);
    });

    it("with an active firewall are told what opens it", () => {
        expect(found({}, { report: { firewalls: ["nftables"] } })).toEqual([
            "warning: worker-1: has an active firewall, nftables, which has to let nodes and pods through; if they don't yet, its chains of the hooks input and forward have to accept what comes from 192.168.7.11, 10.99.0.0/16; forward also what goes to 10.99.0.0/16",
        ]);
        expect(found({}, { report: { firewalls: ["ufw"] } })).toEqual([
            "warning: worker-1: has an active firewall, ufw, which has to let nodes and pods through; if it doesn't yet, run on it: 'sudo ufw allow from 192.168.7.11', 'sudo ufw allow from 10.99.0.0/16', 'sudo ufw default allow routed'",
        ]);
    });
});
