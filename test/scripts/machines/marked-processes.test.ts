import { spawn } from "node:child_process";
import { once } from "node:events";
import { cgroupsOf, endProcess, isRunning } from "../../../scripts/machines/cgroups";
import { marked, markOf } from "../../../scripts/machines/marked-processes";

const LAYOUT = { kind: "marks" } as const;
const MACHINE = { lab: "test-marks", machine: "cp-1" };

describe("processes of a lab without cgroups", () => {
    it("are known by a mark that what they start has too, and are ended by it", async () => {
        const child = spawn("bash", ["-c", "sleep 60 & wait"], { env: { ...process.env, ...markOf(MACHINE) } });
        const ended = once(child, "exit");
        for (let tries = 0; marked(MACHINE).length < 2 && tries < 100; tries++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        // A shell may have more of them for a moment.
        expect(marked(MACHINE).length).toBeGreaterThanOrEqual(2);
        expect(isRunning(LAYOUT, "test-marks", "cp-1")).toBe(true);
        expect(isRunning(LAYOUT, "test-marks", "cp-10")).toBe(false);
        await endProcess(LAYOUT, MACHINE);
        await ended;
        expect(marked(MACHINE)).toEqual([]);
        expect(cgroupsOf(LAYOUT, MACHINE)).toEqual([]);
    });

    it("are told apart: machines, registry and switch", () => {
        const marks = [MACHINE, { lab: "test-marks" }, { lab: "test-marks", service: "switch" as const }].map(markOf);
        expect(new Set(marks.map((mark) => JSON.stringify(mark))).size).toBe(3);
    });
});
