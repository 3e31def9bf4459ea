import { ExistingHosts, type HostEntry, type WantedHost } from "../support/existing-hosts";
import { differences, machineState } from "../support/host-state";
import { eventually, Lab, noLabsHere } from "../support/lab";

const reason = noLabsHere();
const story = reason === undefined ? describe : describe.skip;

const ALPHA: WantedHost = { name: "alpha", position: 11, release: "bookworm" };
const BETA: WantedHost = { name: "beta", position: 12, release: "trixie" };
const NO_CHANGES = { created: 0, updated: 0, replaced: 0, deleted: 0 };

story(`a cluster on hosts that exist${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
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
        lab = new Lab("hosts", "10.236.2.0/24");
        other = new Lab("hosts-other", "10.236.3.0/24");
        list = [hosts.entry(ALPHA, "control-plane"), hosts.entry(BETA, "worker")];
        const mirrors = { registryMirrors: { _default: [hosts.registry] } };
        lab.configure({ provider: "hosts", local: undefined, hosts: list, ...mirrors });
        other.configure({ provider: "hosts", local: undefined, workers: 0, hosts: list.slice(0, 1), ...mirrors });
        for (const host of [ALPHA, BETA]) {
            hosts.root(host, "systemctl is-system-running --wait || true");
            before.set(host.name, state(host));
        }
    }, 300_000);
    afterAll(() => {
        lab.remove();
        other.remove();
        hosts.remove();
    }, 180_000);

    it("is told everything that is wrong at once, before anything is changed", () => {
        hosts.root(ALPHA, "install -m 755 /bin/true /usr/bin/dockerd; mv /usr/sbin/conntrack /root/");
        hosts.root(ALPHA, "systemd-run --quiet --unit=taken socat TCP-LISTEN:10250,fork /dev/null");
        hosts.root(
            BETA,
            "hostname alpha; nft 'add table ip strict; add chain ip strict input { type filter hook input priority 0; }; add rule ip strict input tcp dport 10256 drop'",
        );
        const { code, stdout, stderr } = lab.run("up", ["--preview"]);
        hosts.root(ALPHA, "rm /usr/bin/dockerd; mv /root/conntrack /usr/sbin/; systemctl stop taken");
        hosts.root(BETA, "hostname beta; nft delete table ip strict");
        expect(code).not.toBe(0);
        const said = `${stdout}\n${stderr}`;
        for (const problem of [
            "alpha: lacks conntrack; run 'sudo apt-get install --yes conntrack' on it",
            "alpha: has a container runtime, or Kubernetes, that isn't this cluster's: /usr/bin/dockerd;",
            "alpha: uses tcp port 10250 by socat, which kubelet needs;",
            "alpha, beta: have one host name, alpha;",
            "alpha: can't reach TCP 10256 (kube-proxy) of beta at 10.236.1.12: no answer within three seconds;",
        ]) {
            expect(said).toContain(problem);
        }
        expect(said).not.toMatch(/\n\s+at .*\.ts:/);
        expect(hosts.root(ALPHA, "ls /var/lib/kubelab 2>/dev/null || true")).toBe("");
    }, 60_000);

    it("leaves nothing on them when it failed half-way", async () => {
        lab.configure({ flags: { "kube-controller-manager": { "no-such-flag": "1" } } });
        const { code, stdout, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(`${stdout}\n${stderr}`).toContain("kube-controller-manager");
        expect(hosts.root(ALPHA, "systemctl is-active etcd || true")).toBe("active");
        expect(hosts.root(BETA, "ls /var/lib/kubelab/record | wc -l")).not.toBe("0");
        lab.down();
        lab.configure({ flags: undefined });
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
        const { created, updated, replaced, deleted } = lab.up();
        expect({ created, updated, replaced, deleted }).toEqual(NO_CHANGES);
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

    it("notices that a host isn't the installation that it was", () => {
        const id = hosts.root(BETA, "cat /etc/machine-id");
        hosts.root(
            BETA,
            "cp -a /etc/machine-id /root/; umount /etc/machine-id 2>/dev/null; rm -f /etc/machine-id; echo 0123456789abcdef0123456789abcdef >/etc/machine-id",
        );
        const { stdout, stderr } = lab.run("up", ["--preview"]);
        hosts.root(BETA, "cp -a --remove-destination /root/machine-id /etc/; rm /root/machine-id");
        expect(`${stdout}\n${stderr}`).toContain(
            `beta: is another installation than the one that joined: its machine id was ${id} and is 0123456789abcdef0123456789abcdef;`,
        );
        lab.configure({
            hosts: list.map((host) => ({
                ...host,
                hostKey: hosts.driver.publicKey("other-host-key").split(" ").slice(0, 2).join(" "),
            })),
        });
        const changed = lab.run("up", ["--preview"]);
        lab.configure({ hosts: list });
        expect(`${changed.stdout}\n${changed.stderr}`).toContain(
            "beta: proves itself with another host key than kubelab:hosts says: ssh-ed25519 ",
        );
    }, 120_000);

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
        hosts.root(BETA, "systemctl is-system-running --wait || true");
        expect(hosts.root(BETA, "systemctl is-active kubelet || true")).toBe("active");
        hosts.root(BETA, "bash /var/lib/kubelab/leave");
        await left(BETA);
    }, 120_000);
});
