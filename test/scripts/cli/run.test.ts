import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryDirectory } from "../../support/bash";

const REPOSITORY = join(__dirname, "../../..");
const directory = temporaryDirectory();
afterAll(directory.remove);

const PROGRAM = `const { run, runInTerminal } = require(process.argv[1]);
const [how, ...command] = process.argv.slice(2);
void (how === "run" ? run(command).then(({ code }) => code) : runInTerminal(command)).then((code) => process.exit(code));`;

/** Has a Node.js process run a command of a shell that goes on for a minute; `file` gets the shell's process id. */
function started(how: "run" | "runInTerminal", file: string): ReturnType<typeof spawn> {
    const words = ["--require", "tsx/cjs", "-e", PROGRAM, join(REPOSITORY, "scripts/cli/run.ts"), how];
    return spawn(process.execPath, [...words, "bash", "-c", `echo $$ >${file}; exec sleep 60`], {
        cwd: REPOSITORY,
        stdio: "ignore",
    });
}

async function until<T>(attempt: () => T | undefined): Promise<T> {
    for (let count = 0; count < 200; count++) {
        const found = attempt();
        if (found !== undefined) {
            return found;
        }
        await sleep(50);
    }
    throw new Error("not within ten seconds");
}

const runs = (pid: number): boolean =>
    existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";

test.each([
    ["runInTerminal", "SIGTERM", 143],
    ["runInTerminal", "SIGHUP", 129],
    ["runInTerminal", "SIGINT", 130],
    ["runInTerminal", "SIGKILL", null],
    ["run", "SIGTERM", null],
    ["run", "SIGKILL", null],
] as const)(
    "what %s has started ends with its parent after %s",
    async (how, signal, code) => {
        const file = join(directory.path, `${how}-${signal}`);
        const parent = started(how, file);
        const pid = await until(() => (existsSync(file) ? Number(readFileSync(file, "utf8")) || undefined : undefined));
        // Between the shell and what it becomes, the command line is empty for a moment.
        await until(() => runs(pid) || undefined);
        const ended = new Promise((resolve) => parent.once("exit", resolve));
        parent.kill(signal);
        expect(await ended).toBe(code);
        await until(() => !runs(pid) || undefined);
    },
    30_000,
);

test("a command's own exit code is given back, and 128 and the signal's number where one ended it", () => {
    const codeOf = (script: string): number | null => {
        const words = ["--require", "tsx/cjs", "-e", PROGRAM, join(REPOSITORY, "scripts/cli/run.ts"), "runInTerminal"];
        return spawnSync(process.execPath, [...words, "bash", "-c", script], { cwd: REPOSITORY }).status;
    };
    expect([codeOf("exit 7"), codeOf("kill -KILL $$")]).toEqual([7, 137]);
}, 30_000);
