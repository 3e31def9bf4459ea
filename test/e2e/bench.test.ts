import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ratioToKubeadm, type Report } from "../../scripts/cli/bench/report";
import { eventually, Lab, story } from "../support/lab";

/** The budget of a quiet machine is 0.6; a noisy one mustn't fail the test. */
const RATIO_BOUND = 0.9;

story("measuring on labs of its own", () => {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-test-bench-"));
    const file = join(directory, "report.json");
    let lab: Lab;
    let report: Report;
    let table: string;

    beforeAll(() => {
        lab = new Lab("bench", "10.237.0.0/24");
        const options = ["--runs", "1", "--workers", "0,1,2", "--against", "kubeadm", "--network", "10.236.0.0/24"];
        table = lab.succeed("bench", [...options, "--json", file], 600);
        report = JSON.parse(readFileSync(file, "utf8")) as Report;
    }, 600_000);
    afterAll(() => {
        lab.remove();
        rmSync(directory, { recursive: true });
    }, 120_000);

    it("tells every phase in the order in which it ends, and what came after", () => {
        const [run, ...more] = report.runs ?? [];
        if (run === undefined) {
            throw new Error("no run was measured");
        }
        expect(more).toEqual([]);
        const { phases, noop, oneMoreWorker, down } = run;
        expect(phases.machines).toBeGreaterThan(0);
        for (const [earlier, later] of [
            ["machines", "push"],
            ["push", "nodes Ready"],
            ["etcd", "API server"],
            ["API server", "nodes Ready"],
            ["nodes Ready", "all of up"],
            ["all of up", "web answering"],
        ] as const) {
            expect(phases[earlier]).toBeLessThan(phases[later] ?? 0);
        }
        expect(noop).toBeLessThan(phases["all of up"]);
        expect(oneMoreWorker).toBeLessThan(phases["all of up"]);
        expect(down).toBeGreaterThan(0);
        expect(table).toMatch(/from none: nodes Ready +\d/);
    });

    it("describes what it was measured on", () => {
        expect(report.engine).toMatch(/^(offline engine|Pulumi CLI v)/);
        expect(report.host.cores).toBeGreaterThan(0);
        expect(report.host.kernel).not.toBe("");
        expect(report.versions["kubernetes"]).toMatch(/^\d+\.\d+\.\d+$/);
        expect(Date.now() - Date.parse(report.date)).toBeLessThan(1_000_000);
    });

    it("is faster than kubeadm on the same machines", () => {
        const [kubeadm] = report.kubeadm ?? [];
        expect(kubeadm?.init).toBeGreaterThan(1);
        expect(kubeadm?.joins).toBeGreaterThan(1);
        const ratio = ratioToKubeadm(report.runs ?? [], report.kubeadm ?? []);
        expect(ratio).toBeGreaterThan(0.1);
        expect(ratio).toBeLessThan(RATIO_BOUND);
        expect(table).toContain(`kubelab needs ${ratio.toFixed(2)} of kubeadm's time`);
    });

    it("adds as many steps and sends as many bytes for each worker as for the one before", () => {
        const { sizes = [], stepsPerWorker = [], bytesPerWorker = [] } = report.growth ?? {};
        expect(sizes.map(({ workers }) => workers)).toEqual([0, 1, 2]);
        expect(stepsPerWorker[0]).toBeGreaterThan(5);
        expect(new Set(stepsPerWorker).size).toBe(1);
        const all = sizes.flatMap((size) => size.bytesPerWorker);
        expect(all).toHaveLength(3);
        expect(Math.min(...all)).toBeGreaterThan(100 * 2 ** 20);
        // Acknowledgements and the neighbours' routes: nothing that counts beside the parts.
        expect(Math.max(...all) / Math.min(...all)).toBeLessThan(1.02);
        expect(bytesPerWorker).toHaveLength(2);
    });

    it("compares pods with nodes, pair by pair", () => {
        const { pairs = [], nodes, pods, ratio } = report.throughput ?? {};
        expect(pairs).toHaveLength(5);
        expect(nodes?.median).toBeGreaterThan(0.1);
        expect(pods?.median).toBeGreaterThan(0.1);
        expect(ratio?.median).toBeGreaterThan(0.5);
    });

    it("leaves nothing behind", () => {
        expectNothingLeft();
    });

    it("leaves nothing behind when it is interrupted halfway", async () => {
        const command = [
            "bench",
            "--stack",
            lab.stack,
            "--runs",
            "1",
            "--only",
            "phases",
            "--network",
            "10.236.0.0/24",
        ];
        const run = spawn("scripts/lab", command, { env: { ...process.env, KUBELAB_OFFLINE: "1" }, stdio: "ignore" });
        const ended = once(run, "exit");
        await eventually(60, () => {
            expect(existsSync("/var/lib/kubelab/bench-test-bench/worker-1")).toBe(true);
        });
        run.kill("SIGINT");
        const [code] = (await ended) as [number];
        expect(code).toBe(1);
        expectNothingLeft();
    }, 120_000);
});

function expectNothingLeft(): void {
    for (const name of ["bench-test-bench", "bench-kubeadm"]) {
        expect(existsSync(join("/var/lib/kubelab", name))).toBe(false);
    }
    expect(existsSync("Pulumi.bench-test-bench.yaml")).toBe(false);
    const { stdout } = spawnSync("nft", ["list", "tables"], { encoding: "utf8" });
    expect(stdout).not.toContain("bench-");
}
