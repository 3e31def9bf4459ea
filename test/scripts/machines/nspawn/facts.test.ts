import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { containerFacts, factsOfContainer } from "../../../../scripts/machines/nspawn/facts";

const V1 = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
const V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n";
const ALL = "Name:\tsystemd\nCapEff:\t000001ffffffffff\n";
const WITHOUT_RESOURCE = "Name:\tsystemd\nCapEff:\t000001fffeffffff\n";
const USERS = "         0          0 4294967295\n";

test("a machine with cgroup v2 has its cgroups from systemd, and a kubelet that insists on v2", () => {
    const facts = { cgroupDriver: "systemd", failCgroupV1: true };
    expect(containerFacts({ mounts: V2, status: ALL, users: USERS })).toMatchObject(facts);
});

test("a machine with cgroup v1, or with an empty v2 hierarchy beside it, has a kubelet that takes v1", () => {
    const facts = { cgroupDriver: "cgroupfs", failCgroupV1: false };
    expect(containerFacts({ mounts: V1, status: ALL, users: USERS })).toMatchObject(facts);
});

test("OOM scores are lowered where the machine may: with CAP_SYS_RESOURCE, among the kernel's own users", () => {
    const restricted = (status: string, users: string) =>
        containerFacts({ mounts: V2, status, users }).restrictOomScoreAdj;
    expect(restricted(ALL, USERS)).toBe(false);
    expect(restricted(WITHOUT_RESOURCE, USERS)).toBe(true);
    expect(restricted(ALL, "0 100000 65536\n")).toBe(true);
});

test("what a process's files say of it is what the kernel lets it do", () => {
    const facts = factsOfContainer(process.pid);
    const lower = "(echo -1000 >/proc/self/oom_score_adj) 2>/dev/null && echo lowered || echo refused";
    const said = execFileSync("bash", ["-c", lower], { encoding: "utf8" }).trim();
    expect(said).toBe(facts.restrictOomScoreAdj ? "refused" : "lowered");
    const v1 = / cgroup /.test(readFileSync("/proc/self/mounts", "utf8"));
    expect(facts.failCgroupV1).toBe(!v1);
});

describe("a process that has a cgroup v2 hierarchy alone", () => {
    const HIDE = "umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup";
    const command = (then: string) => ["--mount", "--propagation", "private", "bash", "-c", `${HIDE} && ${then}`];
    const can = spawnSync("unshare", command("true")).status === 0;
    const inPlace = can ? test : test.skip;

    inPlace(`is found to be one with v2${can ? "" : " (skipped: this kernel or user can't mount it)"}`, async () => {
        const child = spawn("unshare", command("echo mounted && read -r"), { stdio: ["pipe", "pipe", "inherit"] });
        try {
            await once(child.stdout, "data");
            expect(factsOfContainer(child.pid ?? 0)).toMatchObject({ cgroupDriver: "systemd", failCgroupV1: true });
        } finally {
            child.stdin.end("\n");
            await once(child, "close");
        }
    });
});
