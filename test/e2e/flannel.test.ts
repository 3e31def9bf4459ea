import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const NODES = ["cp-1", "worker-1", "worker-2"];

story("a cluster with flannel", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("flannel", "10.233.10.0/24");
        lab.configure({ network: "cni", cniPlugin: "flannel" });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const podCidrs = (): Record<string, string> => {
        const path = '{range .items[*]}{.metadata.name} {.spec.podCIDR}{"\\n"}{end}';
        const lines = lab.kubectl("get", "nodes", "-o", `jsonpath=${path}`).trim().split("\n");
        return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string]));
    };

    it("comes up from nothing: pods on every node have their addresses from what the controller manager allocated", () => {
        const { seconds } = lab.up();
        console.log(`up from no machines: ${seconds.toFixed(1)} s`);
        const allocated = podCidrs();
        expect(Object.keys(allocated).sort()).toEqual(NODES);
        expect(new Set(Object.values(allocated)).size).toBe(3);
        expect(lab.outputs().nodes.map((node) => "podCidr" in node)).toEqual([false, false, false]);
        for (const node of NODES) {
            expect(lab.ssh(node, "cat /run/flannel/subnet.env")).toContain(
                `FLANNEL_SUBNET=${allocated[node]?.replace(".0/24", ".1/24") ?? ""}`,
            );
            const others = NODES.filter((name) => name !== node).map((name) => allocated[name] ?? "");
            const routes = lab.ssh(node, "ip -4 route show");
            for (const other of others) {
                expect(routes).toMatch(new RegExp(`^${other.replaceAll(".", "\\.")} via 10\\.233\\.10\\.`, "m"));
            }
        }
        expect(lab.succeed("status")).toContain(`pods ${allocated["worker-2"] ?? ""}`);
    }, 600_000);

    it("does what it is for, and its verify says that policies aren't enforced", () => {
        const { stdout, stderr } = lab.run("verify");
        expect(`${stdout}${stderr}`).toMatch(/all \d+ checks passed/);
        expect(stdout).toMatch(/✓ NetworkPolicy isn't enforced by flannel .* still answered on one node, across nodes/);
        expect(stdout).toMatch(/✓ routes to the pods of every other node .* 6 routes/);
    }, 300_000);

    it("is not touched by a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 120_000);

    it.each([
        [
            "network",
            { network: "kubenet", cniPlugin: undefined },
            /kubelab:network: "kubenet" can't replace "cni" while the cluster is running/,
        ],
        ["plugin", { cniPlugin: "kube-router" }, /kubelab:cniPlugin: "kube-router" can't replace "flannel" while/],
        ["overlay", { overlay: "full" }, /kubelab:overlay: "full" can't replace "none" while the cluster is running/],
    ])(
        "refuses another %s at preview, with the reason",
        (_what, change, message) => {
            lab.configure(change);
            const { code, stdout, stderr } = lab.run("up", ["--preview"]);
            lab.configure({ network: "cni", cniPlugin: "flannel", overlay: undefined });
            expect(code).not.toBe(0);
            expect(stdout + stderr).toMatch(message);
        },
        120_000,
    );

    it("lets flannel do what it must in the API, and no more", () => {
        const can = (...what: string[]): string =>
            lab
                .run("kubectl", ["auth", "can-i", "--as=system:serviceaccount:kube-system:flannel", ...what])
                .stdout.trim();
        expect(can("watch", "nodes")).toBe("yes");
        expect(can("patch", "nodes", "--subresource=status")).toBe("yes");
        expect(can("patch", "nodes")).toBe("no");
        expect(can("list", "pods")).toBe("no");
        expect(can("get", "secrets", "-n", "kube-system")).toBe("no");
    }, 120_000);

    it("comes back by itself when a node reboots, and isn't Ready before flannel is", async () => {
        const boot = lab.ssh("worker-1", "systemctl show -P UserspaceTimestampMonotonic");
        lab.run("ssh", ["worker-1", "--", "systemctl reboot"], 30);
        await eventually(60, () => {
            expect(lab.ssh("worker-1", "systemctl show -P UserspaceTimestampMonotonic")).not.toBe(boot);
        });
        const sinceBoot = `journalctl -u kubelet --since "$(systemctl show -P UserspaceTimestamp | cut -d' ' -f2,3)"`;
        await eventually(60, () => lab.ssh("worker-1", `${sinceBoot} | grep -q 'cni plugin not initialized'`));
        await eventually(60, () => lab.ssh("worker-1", "test -e /etc/cni/net.d/10-flannel.conflist"));
        await eventually(60, () => expect(lab.kubectl("get", "node", "worker-1", "--no-headers")).toMatch(/ Ready /));
        for (const [node, cidr] of Object.entries(podCidrs()).filter(([name]) => name !== "worker-1")) {
            const address = lab.outputs().nodes.find(({ name }) => name === node)?.address ?? "none";
            expect(lab.ssh("worker-1", "ip -4 route show")).toContain(`${cidr} via ${address} `);
        }
    }, 300_000);

    it("gets one more worker, and the others their routes to it", () => {
        lab.up({ workers: 3 });
        const cidr = podCidrs()["worker-3"] ?? "none";
        expect(lab.ssh("worker-1", "ip -4 route show")).toContain(`${cidr} via 10.233.10.23 `);
    }, 300_000);

    it("loses a worker, and the others their routes to it", async () => {
        const gone = podCidrs()["worker-3"] ?? "none";
        lab.up({ workers: 2 });
        expect(Object.keys(podCidrs())).not.toContain("worker-3");
        await eventually(60, () => expect(lab.ssh("worker-1", "ip -4 route show")).not.toContain(gone));
    }, 300_000);

    it("goes down", () => {
        lab.down();
    }, 120_000);
});
