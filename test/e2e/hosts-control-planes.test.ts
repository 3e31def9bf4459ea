import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExistingHosts, type HostEntry, type WantedHost } from "../support/existing-hosts";
import { ETCDCTL } from "../support/etcd";
import { differences, machineState } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";
import { Writer } from "../support/writer";

const PREFIX = "10.236.3";
const ENDPOINT = `${PREFIX}.5`;
const CONTROL_PLANES: readonly WantedHost[] = ["one", "two", "three"].map((name, index) => ({
    name,
    position: 11 + index,
    release: "bookworm",
}));
const WORKER: WantedHost = { name: "four", position: 21, release: "bookworm" };
/** Takes the place of the first one. */
const SPARE: WantedHost = { name: "five", position: 14, release: "bookworm" };
const ALL = [...CONTROL_PLANES, WORKER, SPARE];

story("several control planes on hosts that exist", () => {
    let hosts: ExistingHosts;
    let lab: Lab;
    let writer: Writer | undefined;
    let list: readonly HostEntry[];
    let kubeconfig = "";
    let kubelets: readonly string[] = [];
    const before = new Map<string, Set<string>>();

    const state = (host: WantedHost): Set<string> => machineState((commandLine) => hosts.root(host, commandLine));
    const left = async (host: WantedHost): Promise<void> => {
        await eventually(10, () => {
            expect([host.name, differences(before.get(host.name) ?? new Set(), state(host))]).toEqual([host.name, []]);
        });
    };
    const refused = (): string => {
        const { code, stdout, stderr } = lab.run("up", ["--preview"]);
        expect(code).not.toBe(0);
        return `${stdout}\n${stderr}`;
    };
    /** The one control plane among these that has the endpoint's address. */
    const holder = (among: readonly WantedHost[]): WantedHost => {
        const holders = among.filter((host) => hosts.root(host, "ip -o -4 address show").includes(` ${ENDPOINT}/`));
        expect(holders).toHaveLength(1);
        return holders[0] as WantedHost;
    };
    const kubelet = (host: WantedHost): string => hosts.root(host, "systemctl show --property=MainPID kubelet");
    const readyNodes = (): number => lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)?.length ?? 0;

    beforeAll(() => {
        hosts = new ExistingHosts("test-several-hosts", PREFIX);
        hosts.create(ALL);
        list = [...CONTROL_PLANES, WORKER].map((host) =>
            hosts.entry(host, host === WORKER ? "worker" : "control-plane"),
        );
        lab = new Lab("hosts-several", {
            provider: "hosts",
            registryMirrors: { _default: [hosts.registry] },
            hosts: list,
        });
        for (const host of ALL) {
            // As on a host that somebody uses: the preflight's question for the clock starts it.
            hosts.root(host, "systemctl start dbus");
            before.set(host.name, state(host));
        }
    }, 300_000);
    afterAll(() => {
        writer?.stop();
        lab.remove();
        hosts.remove();
    }, 180_000);

    it("need an address that is free, in their subnet, and have the packages for it", async () => {
        expect(refused()).toContain("kubelab:apiEndpoint: is missing, and kubelab:hosts lists 3 control planes");
        hosts.root(CONTROL_PLANES[1] as WantedHost, "mv /usr/sbin/keepalived /root/");
        lab.configure({ apiEndpoint: { address: `${PREFIX}.1` } });
        const taken = refused();
        expect(taken).toMatch(
            /one: sees the address 10\.236\.3\.1 of kubelab:apiEndpoint in use, by the network card \S+:/,
        );
        expect(taken).toContain("two: lacks keepalived; run 'sudo apt-get install --yes keepalived' on it");
        hosts.root(CONTROL_PLANES[1] as WantedHost, "mv /root/keepalived /usr/sbin/");
        lab.configure({ apiEndpoint: { address: "10.237.0.5" } });
        expect(refused()).toContain(
            "three: is in the network of 10.236.3.13/24, and the address 10.237.0.5 of kubelab:apiEndpoint is not;",
        );
        await Promise.all(ALL.map(left));
    }, 120_000);

    it("begin with one that has the address, and the others change nothing for anybody", () => {
        lab.up({
            apiEndpoint: { address: ENDPOINT },
            hosts: list.filter(({ name }) => ["one", "four"].includes(name)),
        });
        kubeconfig = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        expect(kubeconfig).toContain(`server: https://${ENDPOINT}:6443\n`);
        const [one] = CONTROL_PLANES as [WantedHost];
        kubelets = [one, WORKER].map(kubelet);
        writer = new Writer(lab);
        lab.up({ hosts: list });
        expect(readFileSync(join(lab.directory, "kubeconfig"), "utf8")).toBe(kubeconfig);
        expect([one, WORKER].map(kubelet)).toEqual(kubelets);
        expect(writer.lost()).toEqual([]);
        const writes = writer.since(0);
        console.log(`from one to three: ${JSON.stringify(writes)}`);
        expect(writes.longestGap).toBeLessThan(5000);
        expect(readyNodes()).toBe(4);
        holder(CONTROL_PLANES);
    }, 600_000);

    it("work: deployments, services, DNS", () => {
        expect(lab.succeed("verify", [], 180)).toMatch(/all \d+ checks passed/);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 300_000);

    it("keep their endpoint as it is", () => {
        lab.configure({ apiEndpoint: { address: `${PREFIX}.6` } });
        expect(refused()).toContain("can't replace 10.236.3.5 while the cluster is running: kubeconfigs have it");
        lab.configure({ apiEndpoint: { address: ENDPOINT } });
    }, 60_000);

    it("serve on while the host with the address is off, and take it again", async () => {
        const off = holder(CONTROL_PLANES);
        const others = CONTROL_PLANES.filter((host) => host !== off);
        const { last = 0 } = writer ?? {};
        hosts.driver.ssh(hosts.address(off), "systemctl poweroff --force --force");
        await eventually(30, () => {
            holder(others);
            expect(writer?.since(last).succeeded).toBeGreaterThan(20);
        });
        console.log(`the host with the address is off: ${JSON.stringify(writer?.since(last))}`);
        expect(lab.kubectl("get", "nodes", "-o", "name").trim().split("\n")).toHaveLength(4);
        hosts.boot(off);
        await eventually(90, () => {
            expect(readyNodes()).toBe(4);
        });
        expect(writer?.lost()).toEqual([]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        holder(CONTROL_PLANES);
    }, 300_000);

    it("refuse a list that begins with another one, and have another host take the name of one that is gone", async () => {
        const [one, two, three] = CONTROL_PLANES as [WantedHost, WantedHost, WantedHost];
        lab.configure({ hosts: [...list.slice(1), ...list.slice(0, 1)] });
        expect(refused()).toContain('kubelab:hosts: "two" can\'t replace "one" while the cluster is running');
        hosts.driver.ssh(hosts.address(one), "systemctl poweroff --force --force");
        const taker = { ...hosts.entry(SPARE, "control-plane"), name: "one" };
        lab.configure({ hosts: [taker, ...list.slice(1)] });
        const { code, stdout, stderr } = lab.run("up", [], 900, { KUBELAB_FORGET: "one" });
        expect(code === 0 ? "" : `${stdout}${stderr}`).toBe("");
        const members = hosts.root(two, `${ETCDCTL} member list`).trim().split("\n");
        expect(members.map((line) => line.split(", ").slice(1, 4).join(" ")).sort()).toEqual(
            [
                ["one", SPARE],
                ["three", three],
                ["two", two],
            ].map(([name, host]) => `started ${name as string} https://${hosts.address(host as WantedHost)}:2380`),
        );
        expect(writer?.lost()).toEqual([]);
        writer?.stop();
        await eventually(90, () => {
            expect(readyNodes()).toBe(4);
        });
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expect(lab.succeed("verify", [], 180)).toMatch(/all \d+ checks passed/);
    }, 1_200_000);

    it("go down, and the hosts are as they were", async () => {
        lab.down();
        await Promise.all(ALL.slice(1).map(left));
    }, 180_000);
});
