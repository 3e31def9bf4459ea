import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Lab, story } from "../support/lab";
import { countPrograms, noCountHere, type Programs, renderPrograms, total } from "../support/programs";

const REPOSITORY = join(__dirname, "../..");

/** Whatever starts a program costs a fork, which is dear on a busy or virtualized machine: docs/performance.md. */
story(
    "the programs that a lab executes",
    () => {
        let lab: Lab;

        beforeAll(() => {
            lab = new Lab("programs", "10.245.0.0/24");
            spawnSync(join(REPOSITORY, "scripts/lab"), ["parts"]);
            spawnSync("node", ["--require", "tsx/cjs", "scripts/machines/main.ts", "rootfs"], { cwd: REPOSITORY });
        }, 3_600_000);
        afterAll(() => {
            lab.remove();
        }, 120_000);

        /** Fails with the programs, so that one sees which are too many. */
        const expectAtMost = (programs: Programs, most: number): void => {
            const count = total(programs);
            console.log(`${count} programs\n${renderPrograms(programs)}`);
            expect(count > most ? renderPrograms(programs) : `at most ${most}`).toBe(`at most ${most}`);
        };

        it("are at most 600 for three nodes", async () => {
            expectAtMost(await countPrograms(() => lab.up({ workers: 2 })), 600);
        }, 600_000);

        it("leave a state of at most 800 KB", () => {
            expect(statSync(lab.stateFile).size).toBeLessThan(800_000);
        });

        it("are at most 150 for one more worker", async () => {
            expectAtMost(await countPrograms(() => lab.up({ workers: 3 })), 150);
        }, 600_000);
    },
    noCountHere(),
);
