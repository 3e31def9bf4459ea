import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../../scripts/cli/stack";
import { renderBootUnit } from "../../../scripts/cli/start/boot-unit";
import { temporaryDirectory, testWith } from "../../support/bash";

const ENVIRONMENT = { PATH: "/usr/bin:/bin", HOME: "/home/a b", KUBELAB_CACHE: "", SECRET: "none of its business" };

test("the unit has the command, and of the environment what the command reads", () => {
    const unit = renderBootUnit(new Stack("/srv/100% kube", "cni"), ENVIRONMENT);
    expect(unit).toContain('ExecStart="/srv/100%% kube/scripts/lab" start --stack cni\n');
    expect(unit).toContain("ConditionPathExists=/srv/100%% kube/scripts/lab\n");
    expect(unit).toContain('Environment="PATH=/usr/bin:/bin"\nEnvironment="HOME=/home/a b"\nExecStart');
    expect(unit).not.toContain("SECRET");
});

testWith("systemd-analyze")("systemd finds nothing wrong with it", () => {
    const directory = temporaryDirectory();
    try {
        const file = join(directory.path, "kubelab-cni.service");
        const repository = join(__dirname, "../../..");
        writeFileSync(file, renderBootUnit(new Stack(repository, "cni"), ENVIRONMENT));
        const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
        directory.remove();
    }
});
