import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listMachines } from "../../scripts/machines/status";
import { temporaryDirectory } from "../support/bash";
import { differences, HostBefore, hostState } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const PREFIXES = { first: "10.244.1", second: "10.244.2" } as const;

story("down leaves nothing behind", () => {
    let first: Lab;
    let second: Lab;
    let host: HostBefore;

    beforeAll(() => {
        first = new Lab("left-1", `${PREFIXES.first}.0/24`);
        second = new Lab("left-2", `${PREFIXES.second}.0/24`);
        first.configure({ workers: 1 });
        second.configure({ workers: 0 });
        host = new HostBefore(/test-left|10\.244\.[12]\./);
    });
    afterAll(() => {
        first.remove();
        second.remove();
    }, 120_000);

    it("of a lab that was used: pods, a service, a rebooted machine, a machine that was cut off", async () => {
        first.up();
        first.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        first.kubectl("expose", "deployment", "web", "--port=80");
        first.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const boot = (): string => first.ssh("worker-1", "cat /proc/sys/kernel/random/boot_id");
        const earlier = boot();
        first.run("ssh", ["worker-1", "--", "systemctl reboot"], 30);
        await eventually(60, () => {
            expect(boot()).not.toBe(earlier);
        });
        first.ssh("worker-1", "systemd-run --quiet --on-active=0.2 ip link set eth0 down");
        first.down();
        await host.expectAsBefore();
    }, 600_000);

    it("of one of two labs, while the other runs on as if nothing had happened", async () => {
        second.up();
        const beside = hostState();
        const ofSecond = (line: string): boolean => /test-left-2|10\.244\.2\./.test(line) && !/ nud |cgroup/.test(line);
        first.up();
        second.kubectl("create", "deployment", "web", "--image=nginx");
        second.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        const asker = new Asker(`https://${PREFIXES.second}.10:6443/readyz`);
        await eventually(10, () => {
            expect(asker.answers).toBeGreaterThan(0);
        });
        first.down();
        await eventually(10, () => {
            const others = differences(beside, hostState()).filter((line) => /test-left-1|10\.244\.1\./.test(line));
            expect(others).toEqual([]);
        });
        const { answers, failures } = asker.stop();
        expect(failures).toBe(0);
        expect(answers).toBeGreaterThan(5);
        expect(differences(beside, hostState()).filter((line) => line.startsWith("-") && ofSecond(line))).toEqual([]);
        expect(listMachines(second.stack)).toEqual(["cp-1"]);
        const restarts = "jsonpath={.items[*].status.containerStatuses[*].restartCount}";
        expect(second.kubectl("get", "pods", "--all-namespaces", "-o", restarts)).toMatch(/^(0 ?)+$/);
        expect(second.upChanges()).toEqual(NO_CHANGES);
        second.down();
        await host.expectAsBefore();
    }, 600_000);
});

/** Asks an API server five times a second from the host, and counts. */
class Asker {
    private readonly directory = temporaryDirectory();
    private readonly file = join(this.directory.path, "answers");
    private readonly child: ChildProcess;

    constructor(url: string) {
        const ask = `curl -sk -m 2 -o /dev/null -w '%{http_code}\n' ${url} >>${this.file}`;
        this.child = spawn("bash", ["-c", `: >${this.file}; while :; do ${ask}; sleep 0.2; done`], { stdio: "ignore" });
    }

    get answers(): number {
        return this.lines().filter((line) => line === "200").length;
    }

    stop(): { readonly answers: number; readonly failures: number } {
        this.child.kill("SIGKILL");
        const counts = { answers: this.answers, failures: this.lines().length - this.answers };
        this.directory.remove();
        return counts;
    }

    private lines(): string[] {
        return existsSync(this.file) ? readFileSync(this.file, "utf8").split("\n").slice(0, -1) : [];
    }
}
