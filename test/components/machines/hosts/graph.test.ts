import { execFileSync } from "node:child_process";
import type { InspectedHost } from "../../../../components/machines/hosts/rules";
import type { HostReport } from "../../../../components/machines/hosts/report";
import { sshWords } from "../../../../components/steps/ssh-command";
import { temporaryDirectory } from "../../../support/bash";
import { clusterGraph, fileOf, find, inputsOf, remoteSteps, requestIn, script } from "../../../support/graph";
import { machineId, type Run } from "../../../support/mocks";
import { isSecret, unwrap, withoutSecrets } from "../../../support/secrets";
import { testSpec } from "../../../support/spec";
import { aHost } from "./a-host";

const BEHIND_STUB = "/run/systemd/resolve/resolv.conf";

jest.setTimeout(60_000);

const LOCAL = "command:local:Command";
const PASSWORD = "correct horse";
const directory = temporaryDirectory();
const keyFile = `${directory.path}/key`;
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

const spec = (config: object = {}) =>
    testSpec({
        provider: "hosts",
        hosts: [
            {
                role: "control-plane",
                address: "cp.example",
                privateAddress: "10.1.1.1",
                user: "admin",
                keyFile,
                hostKey: HOST_KEY,
            },
            { role: "worker", address: "192.168.7.12", user: "admin", port: 2222, keyFile, hostKey: HOST_KEY },
        ],
        ...config,
    });

function graphOf(config: object = {}, report: Partial<HostReport> = {}): Promise<Run> {
    const wanted = spec(config);
    const hosts: InspectedHost[] = (wanted.hosts ?? []).map((host, index) => aHost(index + 1, report, host));
    return clusterGraph(wanted, { hosts });
}

let graph: Run;
let withPassword: Run;
beforeAll(async () => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", keyFile]);
    graph = await graphOf();
    withPassword = await graphOf({ sudoPassword: PASSWORD });
});
afterAll(directory.remove);

describe("a cluster on hosts that exist", () => {
    test("claims each host before anything is put on it; everything goes with the claim", () => {
        const claim = find(graph, LOCAL, "worker-1");
        const { create, delete: undo, stdin, triggers } = unwrap(claim.inputs) as Record<string, string>;
        expect([create, undo]).toEqual([
            "node --require tsx/cjs scripts/hosts/main.ts claim",
            "node --require tsx/cjs scripts/hosts/main.ts leave",
        ]);
        expect(triggers).toEqual([aHost(2).report.machineId]);
        expect(JSON.parse(String(stdin))).toMatchObject({
            name: "worker-1",
            lab: "test",
            stack: "organization/kubelab/test",
            pods: "10.99.0.0/16",
            target: { host: "192.168.7.12", port: 2222, user: "admin", hostKey: HOST_KEY },
        });
        const steps = remoteSteps(graph, { address: "192.168.7.12" });
        expect(steps.length).toBeGreaterThan(4);
        expect(steps.filter(({ deletedWith }) => deletedWith !== claim.urn)).toEqual([]);
        expect(steps.filter((step) => !inputsOf(step).stdin.startsWith(`# on ${machineId("worker-1")}\n`))).toEqual([]);
    });

    test("takes a worker out of the cluster before its host is left", () => {
        const node = find(graph, "command:remote:Command", "worker-1-node");
        expect(node.deletedWith).toBe(find(graph, LOCAL, "cp-1").urn);
        expect(node.dependencies).toContain(find(graph, LOCAL, "worker-1").urn);
    });

    test("logs in as the user that the config names, on its port, with sudo and with the user's key", () => {
        const step = find(graph, "command:remote:Command", "worker-1-kubelet");
        const { connection, create } = inputsOf(step);
        expect(connection).toMatchObject({ host: "192.168.7.12", port: 2222, user: "admin", hostKey: HOST_KEY });
        expect(create).toBe("sudo -n bash -s -- create");
        const push = String(
            (unwrap(find(graph, LOCAL, "worker-1-node-parts").inputs) as Record<string, unknown>)["stdin"],
        );
        const login = { machine: "worker-1", address: "192.168.7.12", port: 2222, user: "admin", keyFile };
        const words = sshWords({ ...login, knownHosts: ".kubelab/test/ssh/known_hosts" }).join(" ");
        expect(words).toContain("-p 2222");
        expect(push).toContain(` ${words} "$@"`);
        expect(graph.resources.filter(({ type }) => type.startsWith("tls:")).map(({ name }) => name)).not.toContain(
            "ssh-key",
        );
        expect(unwrap(graph.outputs["sshCommands"])).toMatchObject({
            "worker-1": `ssh ${words}`,
        });
    });

    test("reaches the API by the control plane's address, outside and inside, and the certificate has both", () => {
        expect(unwrap(graph.outputs["apiServer"])).toBe("https://cp.example:6443");
        expect(script(graph, "worker-1-ready")).toContain("10.1.1.1 api.test");
        const request = requestIn(graph, "cp-1", "kube-apiserver");
        expect(request.dnsNames).toContain("cp.example");
        expect(request.ipAddresses).toContain("10.1.1.1");
        expect(request.ipAddresses).not.toContain("cp.example");
    });

    test("sets the kubelet and the runtime as the host needs it", async () => {
        const kubelet = (run: Run): string => fileOf(run, "worker-1-kubelet", "/etc/kubernetes/kubelet/kubelet.yaml");
        expect(kubelet(graph)).toMatch(/cgroupDriver: systemd\nfailCgroupV1: true\nfailSwapOn: true/);
        expect(kubelet(graph)).toContain("resolvConf: /etc/resolv.conf");
        const other = await graphOf({}, { cgroup: "v1", swap: true, resolvConf: BEHIND_STUB });
        expect(kubelet(other)).toMatch(/cgroupDriver: cgroupfs\nfailCgroupV1: false\nfailSwapOn: false/);
        expect(kubelet(other)).toContain(`resolvConf: ${BEHIND_STUB}`);
    });

    test("gives pods name servers that they reach: those of the host, or the host itself where it names none", async () => {
        const own = "/etc/kubernetes/kubelet/resolv.conf";
        for (const [nameServers, content] of [
            [[], "nameserver 192.168.7.12\n"],
            [["192.0.2.53"], "nameserver 192.0.2.53\n"],
        ] as const) {
            const run = await graphOf({}, { nameServers });
            expect(fileOf(run, "worker-1-kubelet", own)).toBe(content);
            expect(fileOf(run, "worker-1-kubelet", "/etc/kubernetes/kubelet/kubelet.yaml")).toContain(own);
        }
    });
});

describe("a password for sudo", () => {
    test("goes before each step's text, and is nowhere but in secrets", () => {
        const steps = remoteSteps(withPassword);
        expect(steps.filter((step) => !inputsOf(step).stdin.startsWith(`${PASSWORD}\nKUBELAB-INPUT\n# on `))).toEqual(
            [],
        );
        expect(steps.filter((step) => !isSecret(step.inputs["stdin"]))).toEqual([]);
        const open = withPassword.resources.filter(({ inputs }) =>
            JSON.stringify(withoutSecrets(inputs)).includes(PASSWORD),
        );
        expect(open).toEqual([]);
        expect(JSON.stringify(withPassword.outputs)).not.toContain(PASSWORD);
    });

    test("changes no other host's steps: the command is one and the same, whatever it is", () => {
        const commands = new Set(remoteSteps(withPassword).map((step) => inputsOf(step).create));
        expect([...commands].filter((command) => !command.startsWith('sudo -S -p "" bash -c '))).toEqual([]);
    });
});

describe("several control planes", () => {
    const list = (count: number): object[] => [
        ...Array.from({ length: count }, (_, index) => ({
            role: "control-plane",
            address: `192.168.7.${11 + index}`,
            keyFile,
            hostKey: HOST_KEY,
        })),
        { role: "worker", address: "192.168.7.21", keyFile, hostKey: HOST_KEY },
    ];
    const stepsOf = (run: Run): string[] => remoteSteps(run).map(({ name }) => name);
    const apiOf = (run: Run): unknown => unwrap(run.outputs["apiServer"]);

    test("are called by the address that moves between them, which one control plane has from the beginning", async () => {
        const apiEndpoint = { address: "192.168.7.5" };
        const [one, three] = await Promise.all([1, 3].map((count) => graphOf({ hosts: list(count), apiEndpoint })));
        for (const run of [one, three] as Run[]) {
            expect(apiOf(run)).toBe("https://192.168.7.5:6443");
            expect(stepsOf(run)).toContain("cp-1-kube-apiserver-keepalived");
            expect(stepsOf(run)).toContain("worker-1-kube-apiserver-haproxy");
        }
        for (const name of ["cp-1-kubelet", "worker-1-kubelet", "cp-1-etcd", "cp-1-kube-controller-manager"]) {
            const textOf = (run: Run | undefined): string => script(run as Run, name);
            // The members that etcd's health check asks are no part of what runs.
            const ofMembers = (text: string): string => text.replace(/^.*etcd_(enter|votes).*\n/gm, "");
            expect(ofMembers(textOf(three))).toBe(ofMembers(textOf(one)));
        }
    });

    test("are called by the user's load balancer, and have no keepalived then", async () => {
        const run = await graphOf({ hosts: list(3), apiEndpoint: { loadBalancer: "lb.example:8443" } });
        expect(apiOf(run)).toBe("https://lb.example:8443");
        expect(stepsOf(run).filter((name) => name.includes("keepalived"))).toEqual([]);
        expect(JSON.stringify(unwrap(run.outputs))).not.toContain("https://192.168.7.11:6443");
    });
});
