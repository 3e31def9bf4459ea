import { createServer, type Server } from "node:net";
import { attemptsFrom, checkReach, reachScript } from "../../../../components/machines/hosts/reach";
import { bash } from "../../../support/bash";
import { testSpec } from "../../../support/spec";
import { aHost } from "./a-host";

const CONFIG = {
    provider: "hosts",
    hosts: [
        { role: "control-plane", address: "192.168.7.11", keyFile: "/key", hostKey: "ssh-ed25519 AAAA" },
        { role: "worker", address: "192.168.7.12", keyFile: "/key", hostKey: "ssh-ed25519 AAAA" },
    ],
};
const spec = testSpec(CONFIG);
const [first, second] = [aHost(1), aHost(2)];

const ports = (from: typeof first): string[] =>
    attemptsFrom(from, [first, second], spec).map(({ to, port }) => `${to.host.name}:${port}`);

describe("what hosts have to reach of each other", () => {
    it("is what nodes connect to, and of etcd only for control planes", () => {
        expect(ports(first)).toEqual(["worker-1:10250", "worker-1:10256"]);
        expect(ports(second)).toEqual(["cp-1:6443", "cp-1:10250", "cp-1:10256"]);
        const other = aHost(3, {}, { role: "control-plane", name: "cp-2" });
        expect(attemptsFrom(other, [first, other], spec).map(({ port }) => port)).toEqual([
            6443, 2379, 2380, 10250, 10256,
        ]);
    });

    it("has the pod network's own ports too, where they are TCP", () => {
        const bgp = testSpec({ ...CONFIG, network: "cni" });
        expect(attemptsFrom(first, [first, second], bgp).map(({ port }) => port)).toEqual([10250, 10256, 179]);
    });
});

describe("what the answers mean", () => {
    const attempts = attemptsFrom(second, [first, second], spec);
    const found = (text: string, config: object = {}): string[] =>
        checkReach(second, attempts, text, testSpec({ ...CONFIG, ...config })).map(
            ({ host, problem, remedy }) => `${host}: ${problem}; ${remedy}`,
        );

    it("is nothing where all ports answer", () => {
        expect(found("0 yes\n2 yes\n1 yes\nend\n")).toEqual([]);
    });

    it("is one problem per host that can't be reached, with its firewall's name where it has one", () => {
        const text = "0 no no answer within three seconds\n1 no No route to host\n2 yes\nend\n";
        expect(found(text)).toEqual([
            "worker-1: can't reach TCP 6443 (kube-apiserver), 10250 (kubelet) of cp-1 at 192.168.7.11: no answer within three seconds; open them between the nodes, in cp-1's firewall and in what is before it",
        ]);
        const behind = attemptsFrom(second, [aHost(1, { firewalls: ["ufw"] })], spec);
        expect(checkReach(second, behind, "0 no Connection timed out\nend", spec)[0]?.remedy).toBe(
            "open them to 192.168.7.12 in cp-1's ufw",
        );
    });

    it("is a problem of the pod network where a router is between them", () => {
        const text = "routed 192.168.7.11\n0 yes\n1 yes\n2 yes\nend\n";
        expect(found(text)).toEqual([
            'worker-1: reaches 192.168.7.11 by way of a router, which doesn\'t know the pods\' addresses; use hosts of one subnet, or set kubelab:network to "cni" with kubelab:overlay "subnet"',
        ]);
        expect(found(text, { network: "cni", cniPlugin: "flannel" })).toEqual([]);
    });

    it("is an error where they break off", () => {
        expect(() => found("0 yes\n")).toThrow("breaks off");
    });
});

describe("the attempts themselves", () => {
    let server: Server;
    let open: number;
    beforeAll(async () => {
        server = createServer((socket) => socket.destroy());
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        open = (server.address() as { port: number }).port;
    });
    afterAll(() => void server.close());

    it("tell a port that answers, if only to refuse, from one that can't be reached", () => {
        const here = aHost(1, {}, { privateAddress: "127.0.0.1" });
        // TEST-NET-1 isn't routed anywhere.
        const nowhere = aHost(1, {}, { privateAddress: "192.0.2.254" });
        const script = reachScript([
            { to: here, port: open, process: "open" },
            { to: here, port: 1, process: "closed" },
            { to: nowhere, port: 443, process: "nobody" },
        ]);
        const { stdout } = bash(script);
        const lines = stdout.trim().split("\n").sort();
        expect(lines).toContain("0 yes");
        expect(lines).toContain("1 yes");
        expect(lines.find((line) => line.startsWith("2 "))).toMatch(/^2 no ./);
        expect(lines).toContain("end");
    }, 20_000);
});
