import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { HostBefore } from "../support/host-state";
import { Lab, story } from "../support/lab";
import { watch } from "../support/watched";

const LAB = join(__dirname, "../../scripts/lab");
const CORES = [0, 1];
const LOOPS_PER_CORE = 3;
/** Seconds after which the load ends by itself, whatever becomes of this process. */
const LOAD_SECONDS = 900;
/** Seconds that `timeout` gives the first `up`, and within which it ends after that. */
const [GIVEN, ENDS_WITHIN] = [6, 30];

story("a lab on two cores that others keep busy", () => {
    const load: ChildProcess[] = [];
    const onTwoCores = ["taskset", "--cpu-list", CORES.join(","), LAB];
    const environment = { KUBELAB_OFFLINE: "1" };
    let lab: Lab;
    let host: HostBefore;

    beforeAll(() => {
        for (const core of CORES.flatMap((each) => Array<number>(LOOPS_PER_CORE).fill(each))) {
            const loop = ["timeout", String(LOAD_SECONDS), "bash", "-c", "while :; do :; done"];
            load.push(spawn("taskset", ["--cpu-list", String(core), ...loop], { stdio: "ignore" }));
        }
        lab = new Lab("busy-host", "10.244.0.0/24", onTwoCores);
        host = new HostBefore(/test-busy-host|10\.244\.0\./);
    });
    afterAll(() => {
        load.forEach((loop) => loop.kill());
        lab.remove();
    }, 300_000);

    it("ends within seconds when timeout(1) tells it to", async () => {
        const started = performance.now();
        const limited = ["timeout", String(GIVEN), ...onTwoCores, "up", "--stack", lab.stack];
        const { code, output } = await watch(limited, { terminal: false, environment });
        expect({ code, output }).toMatchObject({ code: 124 });
        expect((performance.now() - started) / 1000).toBeLessThan(GIVEN + ENDS_WITHIN);
        expect(lab.locks()).toEqual([]);
    }, 120_000);

    it("comes up in one go, with all three nodes Ready, and is never silent", async () => {
        const up = [...onTwoCores, "up", "--stack", lab.stack];
        const { code, output, silence, before } = await watch(up, { terminal: false, environment });
        if (code !== 0) {
            throw new Error(output);
        }
        expect({ before, isSilent: silence > 20 }).toEqual({ before, isSilent: false });
        const nodes = lab.kubectl("get", "nodes", "--no-headers").trim().split("\n");
        const states = nodes.map((line) => line.split(/\s+/).slice(0, 2).join(" "));
        expect(states).toEqual(["cp-1 Ready", "worker-1 Ready", "worker-2 Ready"]);
    }, 900_000);

    it("goes down and leaves nothing", async () => {
        lab.succeed("down");
        await host.expectAsBefore();
    }, 300_000);
});
