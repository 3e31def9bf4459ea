import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chooseEngine, type Engine } from "../../../scripts/cli/engine";
import { isLockedByTheDead } from "../../../scripts/cli/pulumi-lock";
import { UserError } from "../../../scripts/support/errors";

let repository: string;
const environment = { ...process.env };
beforeEach(() => {
    repository = mkdtempSync(join(tmpdir(), "engine-choice-"));
    file("Pulumi.yaml", "name: sample\nruntime: nodejs\n");
    process.env["PATH"] = join(repository, "bin");
    delete process.env["KUBELAB_ENGINE"];
});
afterEach(() => {
    process.env = { ...environment };
    rmSync(repository, { recursive: true, force: true });
});

function file(name: string, content: string, mode = 0o644): void {
    const path = join(repository, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
}

const choose = (): Promise<Engine> =>
    chooseEngine({ stack: "test", repository, configOverrides: {}, report: () => undefined });

function installPulumi(): void {
    file("bin/pulumi", "#!/bin/sh\necho v3.300.0\n", 0o755);
    file("bin/pulumi-language-nodejs", "#!/bin/sh\n", 0o755);
}

const OFFLINE_STATE = JSON.stringify({ version: 1, resources: [{}], pending: [] });
const PULUMI_STATE = JSON.stringify({ version: 3, checkpoint: { latest: { resources: [{}] } } });

test("the Pulumi CLI with its Node language host is taken, and says its version", async () => {
    installPulumi();
    expect((await choose()).name).toBe("Pulumi CLI v3.300.0");
});

test.each([
    ["there is none", () => undefined],
    ["its language host is missing", () => file("bin/pulumi", "#!/bin/sh\necho v3.300.0\n", 0o755)],
    [
        "it doesn't run",
        () => {
            installPulumi();
            file("bin/pulumi", "#!/bin/sh\nexit 1\n", 0o755);
        },
    ],
])("the offline engine stands in for the CLI where %s", async (_why, prepare) => {
    prepare();
    expect((await choose()).name).toBe("offline engine");
});

test("KUBELAB_ENGINE forces the choice, and is refused with the reason where it can't be followed", async () => {
    process.env["KUBELAB_ENGINE"] = "pulumi";
    await expect(choose()).rejects.toThrow(/The Pulumi CLI was asked for, but there is no `pulumi` on PATH/);
    installPulumi();
    process.env["KUBELAB_ENGINE"] = "offline";
    expect((await choose()).name).toBe("offline engine");
    process.env["KUBELAB_ENGINE"] = "terraform";
    await expect(choose()).rejects.toThrow(UserError);
});

test("a stack stays with the engine that brought it up", async () => {
    installPulumi();
    file(".kubelab/test/state.json", OFFLINE_STATE);
    expect((await choose()).name).toBe("offline engine");
    process.env["KUBELAB_ENGINE"] = "pulumi";
    await expect(choose()).rejects.toThrow(
        /brought up by the offline engine.*KUBELAB_ENGINE=offline scripts\/lab down/,
    );
    delete process.env["KUBELAB_ENGINE"];
    rmSync(join(repository, ".kubelab/test"), { recursive: true });
    rmSync(join(repository, "bin"), { recursive: true });
    file(".kubelab/pulumi/.pulumi/stacks/sample/test.json", PULUMI_STATE);
    await expect(choose()).rejects.toThrow(/The Pulumi CLI brought the stack "test" up and is needed again, but/);
});

test("the CLI's lock is cleared when its owner is dead, and refused with the owner while it lives", () => {
    const lock = (pid: number, host = hostname()): void => {
        const content = { pid, username: "ada", hostname: host, timestamp: new Date().toISOString() };
        file(".pulumi/locks/organization/sample/test/1.json", JSON.stringify(content));
    };
    expect(isLockedByTheDead(repository, "sample", "test")).toBe(false);
    lock(2 ** 22 + 1);
    expect(isLockedByTheDead(repository, "sample", "test")).toBe(true);
    // A process of that pid that isn't Pulumi's took the pid over.
    lock(process.pid);
    expect(isLockedByTheDead(repository, "sample", "test")).toBe(true);
    copyFileSync("/bin/sleep", join(repository, "pulumi"));
    chmodSync(join(repository, "pulumi"), 0o755);
    const alive = spawn(join(repository, "pulumi"), ["60"]);
    try {
        lock(alive.pid ?? 0);
        expect(() => isLockedByTheDead(repository, "sample", "test")).toThrow(`process ${alive.pid} of ada on`);
    } finally {
        alive.kill();
    }
    lock(1, "another-host");
    expect(() => isLockedByTheDead(repository, "sample", "test")).toThrow(/process 1 of ada on another-host/);
});
