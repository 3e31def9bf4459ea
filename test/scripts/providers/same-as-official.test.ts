import { spawn, type ChildProcessByStdio } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { stringify } from "yaml";
import { cachedCli, pinnedCliVersion } from "../../../scripts/engine/cli";
import { programOnPath } from "../../../scripts/support/ends-with-parent";
import { descendants } from "../../support/running";
import { SshMachine } from "../../support/ssh-machine";
import type { Kept } from "./final-state";
import type { Providers } from "./run-project";

const REPOSITORY = resolve(__dirname, "../../..");

/** What a run says in the end: counts and outputs, or why it failed. */
interface Said {
    readonly message?: string;
    readonly state: readonly Kept[];
    readonly [key: string]: unknown;
}

/** A Pulumi project in a directory of its own. */
class Project {
    readonly directory = mkdtempSync(join(tmpdir(), "same-as-official-"));
    readonly log = join(this.directory, "log");

    /** @param machine that its remote commands run on. */
    constructor(machine: SshMachine) {
        copyFileSync(join(__dirname, "same-as-official.js"), join(this.directory, "index.js"));
        symlinkSync(join(REPOSITORY, "node_modules"), join(this.directory, "node_modules"));
        const runtime = "runtime:\n    name: nodejs\n    options:\n        typescript: false\n";
        writeFileSync(join(this.directory, "Pulumi.yaml"), `name: sample\n${runtime}main: index.js\n`);
        writeFileSync(join(this.directory, "package.json"), '{"name": "sample", "main": "index.js"}');
        const { privateKey, ...connection } = machine.connectionArgs();
        const config = { "sample:log": this.log, "sample:machine": connection, "sample:key": privateKey };
        writeFileSync(join(this.directory, "Pulumi.test.yaml"), stringify({ config }));
    }

    /** What ran in a step, and what the engine says of it. */
    async run(by: Providers, step: string): Promise<{ readonly ran: readonly string[]; readonly said: Said }> {
        const child = this.start(by, step);
        let said = "";
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
        await new Promise((next) => child.on("close", next));
        return { ran: this.ran(), said: JSON.parse(said) as Said };
    }

    /** Kills an `up` and all its helpers while `slow` runs. */
    async kill(by: Providers): Promise<readonly string[]> {
        const child = this.start(by, "kill");
        while (!existsSync(this.log) || !readFileSync(this.log, "utf8").includes("run slow")) {
            await new Promise((next) => setTimeout(next, 50));
        }
        descendants(child.pid ?? 0).forEach((pid) => process.kill(pid, "SIGKILL"));
        await new Promise((next) => child.on("close", next));
        return this.ran();
    }

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }

    private start(by: Providers, step: string): ChildProcessByStdio<null, Readable, null> {
        const script = join(__dirname, "run-project.ts");
        return spawn(process.execPath, ["--require", "tsx/cjs", script, this.directory, by, step], {
            stdio: ["ignore", "pipe", "inherit"],
            cwd: REPOSITORY,
        });
    }

    private ran(): string[] {
        const lines = existsSync(this.log) ? readFileSync(this.log, "utf8").trim().split("\n") : [];
        rmSync(this.log, { force: true });
        return lines.map((line) => line.trim());
    }
}

/** Lines in an order that the graph doesn't fix are compared as sets; these pairs have an order. */
const ORDERED: readonly (readonly [string, string])[] = [
    ["run network", "run vm"],
    ["run vm", "run service"],
    ["run service", "run reader"],
    ["delete vm", "run vm"],
    ["delete service", "delete vm"],
    ["run certificate", "delete certificate"],
    ["delete extra-part", "delete extra"],
    ["delete vm", "delete network"],
    ["delete reader", "delete network"],
];

function orderOf(ran: readonly string[]): string[] {
    const at = (what: string): number => ran.findIndex((line) => line === what || line.startsWith(`${what} `));
    return ORDERED.filter(([first, second]) => at(first) >= 0 && at(second) >= 0).map(
        ([first, second]) => `${first} ${at(first) < at(second) ? "before" : "after"} ${second}`,
    );
}

const STEPS = [
    ["first", "creates everything"],
    ["first", "does nothing"],
    ["preview", "says what an update would do, and runs nothing"],
    ["change-flag", "updates one of each kind"],
    ["first", "updates them back"],
    ["renew", "replaces one the new first, and what it triggers"],
    ["first", "and back"],
    ["replace-vm", "replaces a machine and what is on it, the old first"],
    ["first", "and back"],
    ["fail", "fails"],
    ["after-fail", "goes on"],
    ["first", "and back"],
    ["kill", "is killed"],
    ["after-kill", "goes on after the kill"],
    ["first", "and back"],
    ["refresh", "reads what there is, and does nothing"],
    ["remove", "deletes what is no longer there"],
    ["destroy", "deletes everything"],
] as const;

/** Where only some are installed, ours do the others' work on both sides. */
const installed = ["command", "random", "tls"].filter((name) => programOnPath(`pulumi-resource-${name}`) !== undefined);
const hasCli = programOnPath("pulumi") !== undefined || existsSync(cachedCli(pinnedCliVersion()));
const reasons = [
    ...(installed.length === 0 ? ["there is no official plugin on PATH to compare with"] : []),
    ...(hasCli ? [] : ["there is no Pulumi CLI"]),
];
const suffix = reasons.length === 0 ? `: ${installed.join(", ")}` : ` (skipped: ${reasons.join("; ")})`;
const machine = new SshMachine();
beforeAll(() => machine.start());
afterAll(() => machine.stop());
const compared = reasons.length === 0 ? test : test.skip;

compared(
    `our providers run the same commands in the same order as the official plugins, and keep the same state${suffix}`,
    async () => {
        const projects = { official: new Project(machine), own: new Project(machine) };
        try {
            for (const [step, what] of STEPS) {
                if (step === "kill") {
                    const ran = {
                        official: await projects.official.kill("official"),
                        own: await projects.own.kill("own"),
                    };
                    expect({ what, ran: ran.own }).toEqual({ what, ran: ran.official });
                    continue;
                }
                const official = await projects.official.run("official", step);
                const own = await projects.own.run("own", step);
                expect({ what, said: own.said, ran: [...own.ran].sort() }).toEqual({
                    what,
                    said: official.said,
                    ran: [...official.ran].sort(),
                });
                expect({ what, order: orderOf(own.ran) }).toEqual({ what, order: orderOf(official.ran) });
            }
        } finally {
            projects.official.remove();
            projects.own.remove();
        }
    },
    1_800_000,
);

compared(
    `a stack passes from our providers to the official plugins and back without a change${suffix}`,
    async () => {
        const project = new Project(machine);
        try {
            const { said: first } = await project.run("own", "first");
            const count = first["created"];
            const unchanged = { created: 0, updated: 0, replaced: 0, deleted: 0, same: count };
            for (const by of ["official", "own", "official"] as const) {
                expect(await project.run(by, "first")).toMatchObject({ ran: [], said: unchanged });
            }
            // What one has made the other changes, replaces and deletes.
            expect(await project.run("own", "change-flag")).toMatchObject({ said: { updated: 4, replaced: 0 } });
            expect(await project.run("official", "first")).toMatchObject({ said: { updated: 4, replaced: 0 } });
            expect(await project.run("own", "first")).toMatchObject({ ran: [], said: unchanged });
            expect(await project.run("official", "renew")).toMatchObject({ said: { deleted: 0 } });
            expect(await project.run("own", "renew")).toMatchObject({ ran: [], said: unchanged });
            expect(await project.run("own", "destroy")).toMatchObject({ said: { deleted: count, state: [] } });
        } finally {
            project.remove();
        }
    },
    900_000,
);
