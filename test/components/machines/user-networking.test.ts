import { clusterGraph, find, inputsOf, requestIn, script } from "../../support/graph";
import type { Run } from "../../support/mocks";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const CONFIG = { workers: 1, local: { driver: "qemu", networking: "user", accelerator: "tcg" } };

describe("a cluster on machines that need no root", () => {
    let graph: Run;
    const request = (name: string) =>
        JSON.parse(inputsOf(find(graph, "command:local:Command", name)).stdin) as Readonly<Record<string, unknown>>;
    const connection = (name: string) => inputsOf(find(graph, "command:remote:Command", name)).connection;

    beforeAll(async () => {
        graph = await clusterGraph(testSpec(CONFIG));
    });

    it("has a network whose registry listens on the loopback", () => {
        expect(request("network")).toMatchObject({ gateway: "10.240.0.1", loopback: "127.240.0.1" });
    });

    it("asks for ports of the loopback that lead to the machines, and to the API once", () => {
        expect(request("cp-1")).toMatchObject({
            addresses: ["10.240.0.11/24", "10.240.0.10/24"],
            forwards: { "127.240.0.11:2222": "10.240.0.11:22", "127.240.0.10:6443": "10.240.0.10:6443" },
        });
        expect(request("worker-1")["forwards"]).toEqual({ "127.240.0.21:2222": "10.240.0.21:22" });
    });

    it("reaches them by these ports", () => {
        expect(connection("worker-1-ready")).toMatchObject({ host: "127.240.0.21", port: 2222 });
        expect(graph.outputs["sshCommands"]).toMatchObject({
            "worker-1": expect.stringMatching(/ -p 2222 .*HostKeyAlias=worker-1 root@127\.240\.0\.21$/) as string,
        });
        expect(graph.outputs["apiServer"]).toBe("https://127.240.0.10:6443");
    });

    it("has the API server's certificate for that address, and nodes with the addresses that they have among themselves", () => {
        const { ipAddresses } = requestIn(graph, "cp-1", "kube-apiserver");
        expect(ipAddresses).toEqual(expect.arrayContaining(["10.240.0.10", "10.240.0.11", "127.240.0.10"]));
        expect(script(graph, "worker-1-kubelet")).toContain("10.240.0.21");
        expect(script(graph, "worker-1-kubelet")).not.toContain("127.240");
    });
});
