import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { eventually, type Lab } from "./lab";

const REPOSITORY = join(__dirname, "../..");

/** Command lines that mend an exercise, as they are typed for the default stack. */
export type Way = readonly string[];

/**
 * Tests that an exercise shows its symptom, that its documented way, typed as it is printed, and another one make it go away, and that
 * the lab is as it was afterwards.
 */
export function solvedBothWays(lab: () => Lab, name: string, another: Way): void {
    const through = async (way: () => Way): Promise<void> => {
        const symptom = lab().succeed("exercise", [name]);
        expect(symptom).toContain(`(${name})`);
        const before = lab().run("exercise", ["check"]);
        expect(before.stdout).toMatch(/^✗ still there: ./);
        expect(before.code).toBe(1);
        way().forEach((line) => type(lab(), line));
        await eventually(90, () => {
            expect(lab().succeed("exercise", ["check"])).toMatch(/the symptom is gone/);
        });
        expect(lab().succeed("exercise", ["undo"])).toMatch(/the lab is as it was/);
        expect(lab().run("status", [], 200)).toMatchObject({ code: 0 });
    };
    it(`${name} is solved as documented`, () => through(() => documentedWay(lab())), 900_000);
    it(`${name} is solved another way`, () => through(() => another.map((line) => forStack(lab(), line))), 900_000);
}

/** The commands that `solve` prints. */
function documentedWay(lab: Lab): string[] {
    const lines = lab.succeed("exercise", ["solve"]).split("\n");
    const all = lines.filter((line) => line.startsWith("scripts/lab ") && !line.startsWith("scripts/lab exercise "));
    expect(all.length).toBeGreaterThan(0);
    return all;
}

function forStack(lab: Lab, line: string): string {
    return line.replace(/scripts\/lab ([a-z]+)/g, `scripts/lab $1 --stack ${lab.stack}`);
}

/** As in a terminal in the repository. @throws Error with all that was printed where the last command fails. */
function type(lab: Lab, line: string): void {
    const { status, stdout, stderr } = spawnSync("bash", ["-c", line], {
        cwd: REPOSITORY,
        encoding: "utf8",
        timeout: 600_000,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, KUBELAB_OFFLINE: "1" },
    });
    if (status !== 0) {
        throw new Error(`on ${lab.stack}, ${line} ended with ${status}:\n${stdout}\n${stderr}`);
    }
}
