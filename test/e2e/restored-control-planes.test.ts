import { join } from "node:path";
import { temporaryDirectory } from "../support/bash";
import { Driver } from "../support/driver";
import { voters } from "../support/etcd";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const ALL = ["cp-1", "cp-2", "cp-3"];

for (const [hosting, network] of [
    ["systemd", "10.249.13.0/24"],
    ["static-pods", "10.249.14.0/24"],
] as const) {
    story(`the data of three control planes, as ${hosting}`, () => {
        const directory = temporaryDirectory();
        const file = join(directory.path, "cluster.backup");
        const driver = new Driver();
        let lab: Lab;

        beforeAll(() => {
            lab = new Lab(`restored-${hosting}`, network);
            lab.configure({ hosting, controlPlanes: 3, workers: 0, backup: { every: "1d", keep: 3 } });
        });
        afterAll(() => {
            lab.remove();
            driver.remove();
            directory.remove();
        }, 120_000);

        const uid = (name: string): string => lab.kubectl("get", "configmap", name, "-o", "jsonpath={.metadata.uid}");
        const allWell = async (): Promise<void> => {
            expect(voters(lab, "cp-1")).toEqual(ALL);
            await eventually(90, () => {
                expect(lab.run("status", [], 60)).toMatchObject({ code: 0 });
            });
            expect(lab.upChanges()).toEqual(NO_CHANGES);
        };

        it("come back from a file, on all of them", async () => {
            lab.up();
            lab.kubectl("create", "configmap", "before");
            const wanted = uid("before");
            lab.succeed("backup", [file]);
            lab.kubectl("delete", "configmap", "before");
            lab.kubectl("create", "configmap", "since");
            lab.succeed("restore", [file], 900);
            expect(uid("before")).toBe(wanted);
            expect(lab.kubectl("get", "configmaps")).not.toContain("since");
            await allWell();
        }, 1_500_000);

        it("come back from the snapshot of any of them", async () => {
            lab.kubectl("create", "configmap", "wanted");
            lab.ssh("cp-2", "systemctl start etcd-backup");
            lab.kubectl("delete", "configmap", "wanted");
            expect(lab.run("restore", ["cp-4:latest"])).toMatchObject({
                code: 1,
                stderr: expect.stringContaining("it has cp-1, cp-2, cp-3. Nothing was changed") as string,
            });
            lab.succeed("restore", ["cp-2:latest"], 900);
            expect(lab.kubectl("get", "configmap", "wanted", "-o", "name")).toBe("configmap/wanted\n");
            await allWell();
        }, 900_000);

        it("are not restored while one of them is off, and nothing changes", () => {
            lab.run("ssh", ["cp-3", "--", "systemctl poweroff --force --force"], 30);
            const { code, stderr } = lab.run("restore", [file]);
            expect({ code, stderr }).toMatchObject({ code: 1 });
            expect(stderr).toMatch(/cp-3.*Nothing was changed/s);
            expect(lab.kubectl("get", "configmap", "wanted", "-o", "name")).toBe("configmap/wanted\n");
            lab.up();
        }, 300_000);

        it("are recovered from the only one that has them", async () => {
            for (const machine of ["cp-1", "cp-3"]) {
                driver.succeed("machine", "delete", { lab: lab.stack, machine });
            }
            lab.succeed("recover", [], 900);
            expect(lab.kubectl("get", "configmap", "wanted", "-o", "name")).toBe("configmap/wanted\n");
            await allWell();
            lab.down();
        }, 1_200_000);
    });
}
