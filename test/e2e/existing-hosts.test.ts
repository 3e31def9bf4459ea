import { ADMIN, ExistingHosts, type HostEntry, type WantedHost } from "../support/existing-hosts";
import { differences, machineState } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const ALPHA: WantedHost = { name: "alpha", position: 11, release: "bookworm" };
/** The one whose sudo asks for a password. */
const BETA: WantedHost = {
    name: "beta",
    position: 12,
    release: "trixie",
    sudoPassword: "correct horse 'battery' $taple",
};

/** What keeps it from being a node, and back. */
const ALPHA_IN_THE_WAY = [
    "install -m 755 /bin/true /usr/bin/dockerd; mv /usr/sbin/conntrack /root/",
    "printf '[Service]\\nExecStart=/bin/true\\n' | tee /etc/systemd/system/containerd.service >/etc/systemd/system/kubelet.service",
    "systemd-run --quiet --unit=taken socat TCP-LISTEN:10250,fork,reuseaddr /dev/null",
    "systemctl daemon-reload",
];
const ALPHA_AS_IT_WAS = [
    "rm /usr/bin/dockerd /etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service",
    "mv /root/conntrack /usr/sbin/",
    "systemctl stop taken; systemctl reset-failed taken; systemctl daemon-reload",
];
const BETA_IN_THE_WAY = (machineId: string): string[] => [
    `hostname alpha; cp -a /etc/machine-id /root/; echo ${machineId} >/etc/machine-id`,
    "nft 'add table ip strict; add chain ip strict input { type filter hook input priority 0; }; add rule ip strict input tcp dport 10256 drop'",
    "device=$(ip -oneline address | sed -n 's/^[0-9]*: \\([^ ]*\\) .* 10\\.236\\.1\\.12.*/\\1/p')",
    "ip address add 10.236.1.22/24 dev $device; ip address add 10.236.1.23/24 dev $device",
];
const BETA_AS_IT_WAS = [
    "hostname beta; cp -a /root/machine-id /etc/; rm /root/machine-id; nft delete table ip strict",
    "device=$(ip -oneline address | sed -n 's/^[0-9]*: \\([^ ]*\\) .* 10\\.236\\.1\\.12.*/\\1/p')",
    "ip address del 10.236.1.22/24 dev $device; ip address del 10.236.1.23/24 dev $device",
];

story("a cluster on hosts that exist", () => {
    let hosts: ExistingHosts;
    let lab: Lab;
    let other: Lab;
    let list: readonly HostEntry[];
    const before = new Map<string, Set<string>>();

    const state = (host: WantedHost): Set<string> => machineState((commandLine) => hosts.root(host, commandLine));
    const left = async (host: WantedHost): Promise<void> => {
        await eventually(10, () => {
            expect(differences(before.get(host.name) ?? new Set(), state(host))).toEqual([]);
        });
    };

    beforeAll(() => {
        hosts = new ExistingHosts("test-hosts-machines", "10.236.1");
        hosts.create([ALPHA, BETA]);
        list = [hosts.entry(ALPHA, "control-plane"), hosts.entry(BETA, "worker")];
        const common = {
            provider: "hosts",
            sudoPassword: BETA.sudoPassword,
            registryMirrors: { _default: [hosts.registry] },
        };
        lab = new Lab("hosts", { ...common, hosts: list });
        other = new Lab("hosts-other", { ...common, hosts: list.slice(0, 1) });
        for (const host of [ALPHA, BETA]) {
            before.set(host.name, state(host));
        }
    }, 300_000);
    afterAll(() => {
        lab.remove();
        other.remove();
        hosts.remove();
    }, 180_000);

    it("is told everything that is wrong at once, and nothing on them is changed", async () => {
        // What differs from the others of the list is how one gets there, or whether.
        const wrongKey = hosts.driver.publicKey("other-host-key").split(" ").slice(0, 2).join(" ");
        const extra = [
            { ...hosts.entry(BETA, "worker"), name: "gamma", address: "10.236.1.22", hostKey: wrongKey },
            {
                ...hosts.entry(BETA, "worker"),
                name: "delta",
                address: "10.236.1.23",
                keyFile: hosts.driver.path("other-user-key"),
            },
            { ...hosts.entry(BETA, "worker"), name: "epsilon", address: "10.236.1.24" },
        ];
        hosts.root(ALPHA, ALPHA_IN_THE_WAY.join("\n"));
        hosts.root(BETA, BETA_IN_THE_WAY(hosts.root(ALPHA, "cat /etc/machine-id")).join("\n"));
        lab.configure({ hosts: [...list, ...extra] });
        const { code, stdout, stderr } = lab.run("up", ["--preview"]);
        lab.configure({ hosts: list });
        hosts.root(ALPHA, ALPHA_AS_IT_WAS.join("\n"));
        hosts.root(BETA, BETA_AS_IT_WAS.join("\n"));

        expect(code).not.toBe(0);
        const said = `${stdout}\n${stderr}`;
        for (const problem of [
            "alpha: lacks conntrack; run 'sudo apt-get install --yes conntrack' on it",
            "alpha: has a container runtime, or Kubernetes, that isn't this cluster's: containerd.service (/etc/systemd/system/containerd.service), kubelet.service (/etc/systemd/system/kubelet.service), /usr/bin/dockerd;",
            "alpha: uses tcp port 10250 by socat, which kubelet needs;",
            "alpha, beta: have one host name, alpha;",
            "alpha, beta: have one machine id,",
            "alpha: can't reach TCP 10256 (kube-proxy) of beta at 10.236.1.12: no answer within three seconds;",
            "gamma: has another host key than kubelab:hosts says: ssh-ed25519 ",
            `delta: doesn't let ${ADMIN} in with the key `,
            "epsilon: no SSH server answers at 10.236.1.24:22",
        ]) {
            expect(said).toContain(problem);
        }
        expect(said).toContain("nothing was changed on them");
        expect(said).not.toMatch(/\n\s+at .*\.ts:/);
        await Promise.all([left(ALPHA), left(BETA)]);
    }, 60_000);

    it("is told of sudo that asks for a password, and of a wrong one, which is in no message", () => {
        const refused = (sudoPassword: string | undefined): string => {
            lab.configure({ sudoPassword });
            const { code, stdout, stderr } = lab.run("up", ["--preview"]);
            expect(code).not.toBe(0);
            return `${stdout}\n${stderr}`;
        };
        const without = refused(undefined);
        const wrong = refused("no such secret");
        lab.configure({ sudoPassword: BETA.sudoPassword });
        expect(without).toContain(
            `(one problem); nothing was changed on them:\n  beta: doesn't let ${ADMIN} become root with sudo: sudo: a password is required; give the password`,
        );
        expect(wrong).toContain("kubelab:sudoPassword isn't that user's password");
        expect(wrong).not.toContain("no such secret");
    }, 60_000);

    it("leaves nothing on them when it failed half-way", async () => {
        lab.configure({ flags: { "kube-controller-manager": { "no-such-flag": "1" } }, components: { dns: false } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(`${stdout}\n${stderr}`).toContain("kube-controller-manager");
        expect(hosts.root(ALPHA, "systemctl is-active etcd || true")).toBe("active");
        expect(hosts.root(BETA, "ls /var/lib/kubelab/record | wc -l")).not.toBe("0");
        lab.down();
        lab.configure({ flags: undefined, components: undefined });
        await Promise.all([left(ALPHA), left(BETA)]);
    }, 300_000);

    it("comes up on two Debian releases by a user with sudo, and a second up changes nothing", () => {
        lab.up();
        expect(
            lab.kubectl(
                "get",
                "nodes",
                "-o",
                "jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.osImage};{end}",
            ),
        ).toBe("alpha Debian GNU/Linux 12 (bookworm);beta Debian GNU/Linux 13 (trixie);");
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 300_000);

    it("works: deployments, services, DNS", () => {
        expect(lab.succeed("verify", [], 180)).toMatch(/all \d+ checks passed/);
    }, 200_000);

    it("keeps its hosts to itself", () => {
        const { code, stdout, stderr } = other.run("up");
        expect(code).not.toBe(0);
        expect(`${stdout}\n${stderr}`).toMatch(
            /alpha: is a node of another cluster: lab "test-hosts" of the stack \S+\/kubelab\/test-hosts;/,
        );
    }, 60_000);

    it("lets go of a host that was taken out of the list, and takes it again", async () => {
        lab.up({ hosts: list.slice(0, 1) });
        await left(BETA);
        expect(lab.kubectl("get", "nodes", "-o", "name").trim()).toBe("node/alpha");
        lab.up({ hosts: list });
        expect(lab.kubectl("get", "nodes", "-o", "name").trim()).toBe("node/alpha\nnode/beta");
    }, 300_000);

    it("notices that a host was installed anew, and gives it everything again when it is told that this is meant", () => {
        const was = hosts.root(BETA, "cat /etc/machine-id");
        hosts.reinstall(BETA);
        const is = hosts.root(BETA, "cat /etc/machine-id");
        before.set("beta", state(BETA));
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(`${stdout}\n${stderr}`).toContain(
            `(one problem); nothing was changed on them:\n  beta: is another installation than the one that joined: its machine id was ${was} and is ${is}; if it was reinstalled, confirm that in kubelab:hosts with 'machineId: ${is}'`,
        );
        lab.up({ hosts: list.map((host) => (host.name === "beta" ? { ...host, machineId: is } : host)) });
        lab.kubectl("wait", "node/beta", "--for=condition=Ready", "--timeout=60s");
        expect(hosts.root(BETA, "systemctl is-active kubelet containerd kube-proxy")).toBe("active\nactive\nactive");
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 240_000);

    it("goes down without a host that can't be reached only when it is told to forget it", async () => {
        hosts.root(BETA, "systemctl poweroff || true");
        await eventually(30, () => {
            expect(hosts.driver.ssh(hosts.address(BETA), "true").code).not.toBe(0);
        });
        const started = Date.now();
        const { code, stdout, stderr } = lab.run("down");
        expect(code).not.toBe(0);
        expect(Date.now() - started).toBeLessThan(90_000);
        expect(`${stdout}\n${stderr}`).toMatch(
            /beta \(10\.236\.1\.12\): no SSH server answers on port 22[^]*KUBELAB_FORGET=beta/,
        );
        lab.succeedWith({ KUBELAB_FORGET: "beta" }, "down");
        await left(ALPHA);
    }, 240_000);

    it("leaves a way to clean up a host that was forgotten, on the host", async () => {
        hosts.boot(BETA);
        await eventually(20, () => {
            expect(hosts.root(BETA, "systemctl is-active containerd || true")).toBe("active");
        });
        hosts.root(BETA, "bash /var/lib/kubelab/leave");
        await left(BETA);
    }, 120_000);

    it("leaves nothing of another way to run one: static pods, flannel, iptables", async () => {
        const network = { network: "cni", cniPlugin: "flannel", overlay: "none", proxyMode: "iptables" };
        lab.up({ ...network, hosting: "static-pods" });
        expect(hosts.root(BETA, "iptables-save")).toContain("KUBE-SERVICES");
        expect(hosts.root(ALPHA, "ls /etc/kubernetes/manifests")).toContain("kube-apiserver");
        lab.down();
        await Promise.all([left(ALPHA), left(BETA)]);
    }, 240_000);
});
