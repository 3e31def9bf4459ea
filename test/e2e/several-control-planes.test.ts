import { readFileSync } from "node:fs";
import { join } from "node:path";
import { voters } from "../support/etcd";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";
import type { Requests } from "../support/steady-requests";
import { Writer } from "../support/writer";

const PREFIX = "10.249.8";

story("several control planes", () => {
    let lab: Lab;
    let host: HostBefore;
    let writer: Writer | undefined;
    let kubeconfig = "";
    let kubelet = "";

    /** The control plane that has the endpoint's address. */
    const holder = (nodes: readonly string[]): string => {
        const has = (node: string): boolean => lab.ssh(node, "ip -o -4 address show").includes(`${PREFIX}.10/`);
        const holders = nodes.filter(has);
        expect(holders).toHaveLength(1);
        return holders[0] ?? "";
    };
    const writes = (): Writer => {
        if (writer === undefined) {
            throw new Error("nothing writes");
        }
        return writer;
    };
    const writesDuring = async (action: () => unknown): Promise<Requests> => {
        const before = writes().last;
        await action();
        const { last } = writes();
        await eventually(30, () => {
            expect(writes().since(last).succeeded).toBeGreaterThan(5);
            expect(writes().ended(last)).toBe(true);
        });
        const result = writes().since(before);
        console.log(`${expect.getState().currentTestName ?? ""}: ${JSON.stringify(result)}`);
        return result;
    };
    const kubeletOf = (node: string): string => lab.ssh(node, "systemctl show --property=MainPID kubelet");

    beforeAll(() => {
        lab = new Lab("several", `${PREFIX}.0/24`);
        lab.configure({ workers: 1 });
        host = new HostBefore(/test-several|10\.249\.8\./);
    });
    afterAll(() => {
        writer?.stop();
        lab.remove();
    }, 120_000);

    it("begin with one, whose writes all succeed while two more join it", async () => {
        lab.up();
        kubeconfig = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        kubelet = kubeletOf("worker-1");
        writer = new Writer(lab);
        const { longestGap } = await writesDuring(() => lab.up({ controlPlanes: 3 }));
        expect(longestGap).toBeLessThan(5000);
        expect(writer.lost()).toEqual([]);
        expect(voters(lab, "cp-1")).toEqual(["cp-1", "cp-2", "cp-3"]);
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(4);
    }, 600_000);

    it("change neither the kubeconfig nor a running kubelet, and nothing at the next up", () => {
        expect(readFileSync(join(lab.directory, "kubeconfig"), "utf8")).toBe(kubeconfig);
        expect(kubeletOf("worker-1")).toBe(kubelet);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 300_000);

    it("are asked by a worker each, under the endpoint's name", () => {
        expect(lab.ssh("worker-1", "getent ahostsv4 api.test-several")).toMatch(/^127\.0\.0\.1 /);
        const health = "curl -s --cacert /etc/kubernetes/haproxy/ca.crt https://api.test-several:6443/readyz";
        expect(lab.ssh("worker-1", `for i in 1 2 3 4 5 6; do ${health}; done`)).toBe("okokokokokok");
    });

    it("serve on when the API server with the endpoint's address is killed and stays away", async () => {
        const node = holder(["cp-1", "cp-2", "cp-3"]);
        const { longestGap } = await writesDuring(async () => {
            lab.ssh(node, "systemctl stop kube-apiserver");
            await eventually(20, () => {
                expect(holder(["cp-1", "cp-2", "cp-3"])).not.toBe(node);
            });
        });
        expect(longestGap).toBeLessThan(5000);
        const now = holder(["cp-1", "cp-2", "cp-3"]);
        lab.ssh(node, "systemctl start kube-apiserver");
        await eventually(60, () => {
            lab.ssh(node, "curl -sf --cacert /etc/kubernetes/keepalived/ca.crt https://127.0.0.1:6443/readyz");
        });
        expect(holder(["cp-1", "cp-2", "cp-3"])).toBe(now);
    }, 300_000);

    it("serve on when the machine with the address is powered off, and the next up starts it again", async () => {
        const all = ["cp-1", "cp-2", "cp-3"];
        const node = holder(all);
        const others = all.filter((each) => each !== node);
        const { longestGap } = await writesDuring(async () => {
            lab.run("ssh", [node, "--", "systemctl poweroff --force --force"], 30);
            await eventually(30, () => {
                holder(others);
            });
        });
        expect(longestGap).toBeLessThan(10_000);
        expect(writes().lost()).toEqual([]);
        lab.up();
        await eventually(60, () => {
            expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(4);
        });
        expect(voters(lab, others[0] ?? "")).toEqual(all);
    }, 300_000);

    it("are five when two more join, and three again when they have left", async () => {
        const all = ["cp-1", "cp-2", "cp-3", "cp-4", "cp-5"];
        const joining = await writesDuring(() => lab.up({ controlPlanes: 5 }));
        expect(joining.longestGap).toBeLessThan(5000);
        expect(voters(lab, "cp-1")).toEqual(all);
        holder(all);
        const leaving = await writesDuring(() => lab.up({ controlPlanes: 3 }));
        expect(leaving.longestGap).toBeLessThan(5000);
        expect(writes().lost()).toEqual([]);
        expect(voters(lab, "cp-1")).toEqual(all.slice(0, 3));
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(4);
    }, 900_000);

    it("leave one by one, and the one that stays serves on", async () => {
        const { longestGap } = await writesDuring(() => lab.up({ controlPlanes: 1 }));
        expect(longestGap).toBeLessThan(5000);
        expect(writes().lost()).toEqual([]);
        expect(voters(lab, "cp-1")).toEqual(["cp-1"]);
        expect(lab.kubectl("get", "nodes", "-o", "name").trim().split("\n").sort()).toEqual([
            "node/cp-1",
            "node/worker-1",
        ]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        lab.succeed("verify", [], 300);
    }, 600_000);

    it("leave nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
