import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labNames } from "../../scripts/machines/names";
import { copyCheckout } from "../support/checkout";
import { notPrinted, readCourse, type Typed } from "../support/course";
import { story } from "../support/lab";

const REPOSITORY = join(__dirname, "../..");
const PARTS = readCourse(readFileSync(join(REPOSITORY, "docs/course.md"), "utf8"));
/** ASCII's record separator, which nothing prints. */
const END = "\u001e";
const LABS = PARTS.flatMap(({ commands }) => commands).flatMap(
    ({ command }) => /^export KUBELAB_STACK=(.+)$/.exec(command)?.[1] ?? [],
);
const inUse = LABS.filter((lab) => existsSync(labNames(lab).directory));

interface Ran {
    readonly code: number;
    readonly printed: string;
}

story(
    "the course",
    () => {
        let directory: string;

        /** What a shell prints for each command, one after the other. */
        const type = (commands: readonly Typed[]): Ran[] => {
            const script = commands.map(({ command }) => `${command}\nprintf '\\n${END}%s${END}' $?`).join("\n");
            const { stdout } = spawnSync("bash", ["-c", `exec 2>&1\n${script}`], {
                cwd: directory,
                encoding: "utf8",
                env: { ...process.env, KUBELAB_STACK: undefined, NO_COLOR: "1" },
                input: "",
                timeout: 1_200_000,
                maxBuffer: 1 << 26,
            });
            const words = stdout.split(END);
            return commands.map((__, index) => ({
                printed: words[2 * index] ?? "",
                code: Number(words[2 * index + 1] ?? Number.NaN),
            }));
        };

        beforeAll(() => {
            directory = mkdtempSync(join(tmpdir(), "kubelab-course-"));
            copyCheckout(directory);
        });
        afterAll(() => {
            for (const lab of LABS) {
                spawnSync("scripts/lab", ["down", "--stack", lab], { cwd: directory });
            }
            rmSync(directory, { recursive: true, force: true });
        }, 300_000);

        for (const { title, commands } of PARTS) {
            it(`shows what it prints, in part ${title}`, () => {
                const ran = type(commands);
                const wrong = commands.flatMap(({ command, output }, index) => {
                    const { code, printed } = ran[index] as Ran;
                    const missing = output.length === 0 ? undefined : notPrinted(output, printed);
                    // Where the course shows what is printed, a command may also say by its exit code that something is wrong.
                    return missing !== undefined || (output.length === 0 && code !== 0)
                        ? [{ command, code, missing, printed: printed.trim().split("\n").slice(-40) }]
                        : [];
                });
                expect(wrong).toEqual([]);
            }, 1_500_000);
        }
    },
    inUse.length === 0 ? undefined : `these labs are in use: ${inUse.join(", ")}`,
);
