import { readFileSync } from "node:fs";
import { join } from "node:path";
import { voters } from "../support/etcd";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const ALL = ["cp-1", "cp-2", "cp-3"];

story("several control planes as static pods", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("static-several", "10.249.12.0/24");
        lab.configure({ hosting: "static-pods", workers: 0 });
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("join one that runs, whose kubeconfig stays", () => {
        lab.up();
        const kubeconfig = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        lab.up({ controlPlanes: 3 });
        expect(readFileSync(join(lab.directory, "kubeconfig"), "utf8")).toBe(kubeconfig);
        expect(voters(lab, "cp-1")).toEqual(ALL);
        const manifest = lab.ssh("cp-3", "cat /etc/kubernetes/manifests/etcd.yaml");
        expect(manifest).toMatch(/name: ETCD_INITIAL_CLUSTER_STATE\n +value: "?existing"?\n/);
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 900_000);

    it("serve on while the machine with the address is off, and the next up starts it again", async () => {
        const has = (node: string): boolean => lab.ssh(node, "ip -o -4 address show").includes("10.249.12.10/");
        const off = ALL.find(has) ?? "";
        lab.run("ssh", [off, "--", "systemctl poweroff --force --force"], 30);
        await eventually(30, () => {
            expect(lab.kubectl("get", "nodes", "-o", "name").trim().split("\n")).toHaveLength(3);
        });
        lab.up();
        await eventually(60, () => {
            expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
        });
        expect(voters(lab, ALL.find((node) => node !== off) ?? "")).toEqual(ALL);
    }, 400_000);

    it("leave again", () => {
        lab.up({ controlPlanes: 1 });
        expect(voters(lab, "cp-1")).toEqual(["cp-1"]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);
});
