import { readFileSync } from "node:fs";
import { listMachines } from "../../scripts/machines/status";
import { readMachine } from "../../scripts/machines/records";
import { HostBefore } from "../support/host-state";
import { Lab, NO_CHANGES, story } from "../support/lab";
import { stopStory } from "../support/story";

/** How often one bring-up is killed, at the least, and one `down`: each time some resources further. */
const [KILLS, DOWN_KILLS] = [12, 4];

story("up and down, cut short", () => {
    let lab: Lab;
    let host: HostBefore;
    let total = { up: 0, down: 0 };

    const ids = (): Record<string, string> =>
        Object.fromEntries(listMachines(lab.stack).map((name) => [name, readMachine(lab.stack, name)?.id ?? ""]));
    /**
     * Runs a command again and again, and kills each run when it has done `step` resources more.
     *
     * @returns how many were killed before one came to its end.
     */
    const killUntilDone = async (command: "up" | "down", step: number, how: "alone" | "whole"): Promise<number> => {
        let machines: Record<string, string> = {};
        for (let kills = 0; kills < 3 * KILLS; kills++) {
            const run = lab.start(command, command === "up" ? ["--verbose"] : []);
            if (!(await run.until(() => run.done >= step))) {
                await run.success();
                return kills;
            }
            await (how === "alone" ? run.killAlone() : run.killWhole());
            if (command === "up") {
                expect(ids()).toMatchObject(machines);
                machines = ids();
            }
        }
        throw new Error(`\`${command}\` was killed ${3 * KILLS} times and still isn't done`);
    };
    const expectWhole = (): void => {
        const nodes = lab.kubectl("get", "nodes", "--no-headers").trim().split("\n");
        expect(nodes.map((line) => line.split(/\s+/).slice(0, 2).join(" "))).toEqual(["cp-1 Ready", "worker-1 Ready"]);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expectNoLockAndNothingPending();
    };
    const expectNoLockAndNothingPending = (): void => {
        expect(lab.locks()).toEqual([]);
        expect(lab.pendingOperations()).toEqual([]);
    };

    beforeAll(() => {
        lab = new Lab("interruption", "10.243.0.0/24");
        lab.configure({ workers: 1 });
        host = new HostBefore(/test-interruption|10\.243\.0\./);
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("leave nothing behind when they are let run", async () => {
        const up = lab.start("up", ["--verbose"]);
        await up.success().catch((error) => {
            stopStory();
            throw error;
        });
        expectWhole();
        const down = lab.start("down");
        await down.success();
        total = { up: up.done, down: down.done };
        expect(total.up).toBeGreaterThan(50);
        expect(total.down).toBeGreaterThan(3);
        await host.expectAsBefore();
    }, 600_000);

    it.each(["alone", "whole"] as const)(
        "killed again and again (%s), each run goes on from where the last one was",
        async (how) => {
            const upKills = await killUntilDone("up", Math.ceil(total.up / KILLS), how);
            expect(upKills).toBeGreaterThanOrEqual(KILLS - 1);
            expectWhole();
            const downKills = await killUntilDone("down", Math.ceil(total.down / DOWN_KILLS), how);
            expect(downKills).toBeGreaterThanOrEqual(DOWN_KILLS - 1);
            expect(listMachines(lab.stack)).toEqual([]);
            await host.expectAsBefore();
        },
        480_000,
    );

    it.each([
        [0.15, "alone"],
        [0.5, "whole"],
        [0.85, "alone"],
    ] as const)(
        "an up killed after %d of its resources (%s): down leaves nothing behind",
        async (share, how) => {
            const killed = lab.start("up", ["--verbose"]);
            await killed.until(() => killed.done >= share * total.up);
            await (how === "alone" ? killed.killAlone() : killed.killWhole());
            lab.down();
            await host.expectAsBefore();
        },
        240_000,
    );

    it("Ctrl-C lets what runs end, begins nothing more, and says how to go on", async () => {
        const up = lab.start("up", ["--verbose"]);
        await up.until(() => up.done >= total.up / 2);
        const running = up.done;
        up.interrupt();
        const { code, stdout, stderr } = await up.ended;
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/interrupted: .*The next `up` or `down` continues\./);
        expect(stdout).not.toMatch(/✗/);
        expect(up.done).toBeGreaterThanOrEqual(running);
        expect(up.done).toBeLessThan(total.up);
        expectNoLockAndNothingPending();
        const next = lab.start("up", ["--verbose"]);
        await next.success();
        expect(next.done).toBe(total.up - up.done);
        expectWhole();
    }, 240_000);

    it("a second Ctrl-C ends what runs, and the next up goes on", async () => {
        lab.down();
        const up = lab.start("up", ["--verbose"]);
        await up.until(() => up.done >= total.up / 2);
        up.interrupt();
        await new Promise((resolve) => setTimeout(resolve, 300));
        up.interrupt();
        const { code, stderr } = await up.ended;
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/ending running operations/);
        expect(lab.locks()).toEqual([]);
        lab.up();
        expectWhole();
    }, 240_000);

    it("SIGTERM ends up within seconds of the running step", async () => {
        lab.down();
        const up = lab.start("up", ["--verbose"]);
        await up.until(() => up.done >= total.up / 2);
        const told = Date.now();
        process.kill(up.pid, "SIGTERM");
        const { code } = await up.ended;
        expect(code).not.toBe(0);
        expect(Date.now() - told).toBeLessThan(20_000);
        expect(lab.locks()).toEqual([]);
        lab.up();
        expectWhole();
    }, 240_000);

    it("a second up of the same stack is refused while the first one runs, and the first isn't disturbed", async () => {
        const first = lab.start("up", ["--verbose", "--config", "kubelab:workers=2"]);
        await first.until(() => first.done >= 3);
        // However long the others take to begin, it isn't over meanwhile.
        first.pause();
        try {
            for (const command of ["up", "down"]) {
                const second = lab.run(command);
                expect(second.code).not.toBe(0);
                expect(second.stderr).toMatch(/^Another run of Pulumi holds the stack.* process \d+/m);
            }
        } finally {
            first.goOn();
        }
        await first.success();
        expect(lab.kubectl("get", "nodes", "-o", "name").trim().split("\n")).toHaveLength(3);
        lab.up();
    }, 240_000);

    it("a step of a killed up doesn't undo what the next up did", async () => {
        const unit = `/var/lib/kubelab/${lab.stack}/cp-1/upper/etc/systemd/system/kube-apiserver.service`;
        const text = (): string => readFileSync(unit, "utf8");
        lab.configure({ flags: { "kube-apiserver": { v: "7" } } });
        const killed = lab.start("up", ["--verbose"]);
        expect(await killed.until(() => text().includes("--v=7"))).toBe(true);
        await killed.killAlone();
        lab.up({ flags: undefined });
        const left = "pgrep --full --count 'bash -s -- (create|delete)' || true";
        expect(lab.ssh("cp-1", left).trim()).toBe("0");
        expect(text()).not.toContain("--v=7");
        expect(lab.ssh("cp-1", "tr '\\0' '\\n' </proc/$(pidof kube-apiserver)/cmdline | grep -e --v= || true")).toBe(
            "",
        );
        expectWhole();
    }, 240_000);

    it("down takes everything with it in the end", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
