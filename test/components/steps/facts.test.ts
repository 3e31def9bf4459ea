import { readFileSync } from "node:fs";
import { PROBE } from "../../../components/steps/facts";
import { renderScript } from "../../../components/steps/script";
import { bash, shellcheck } from "../../support/bash";

test("a machine says in JSON what it is like: this host says it of itself", () => {
    const { status, stdout, stderr } = bash(renderScript({ create: PROBE }, "none"), ["create"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const facts = JSON.parse(stdout) as Record<string, unknown>;
    const v2 = readFileSync("/proc/self/mounts", "utf8").includes(" /sys/fs/cgroup cgroup2 ");
    expect(facts).toMatchObject({ cgroupDriver: v2 ? "systemd" : "cgroupfs", failCgroupV1: v2 });
    expect(facts["failSwapOn"]).toBe(readFileSync("/proc/swaps", "utf8").trim().split("\n").length === 1);
    expect(typeof facts["restrictOomScoreAdj"]).toBe("boolean");
    expect([undefined, 0]).toContain(facts["conntrackMaxPerCore"]);
});

test("shellcheck has nothing against how it is asked", () => {
    expect(shellcheck({ probe: renderScript({ create: PROBE }, "none") })).toBe("");
});
