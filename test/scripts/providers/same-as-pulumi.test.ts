import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { EngineKind } from "../../../scripts/cli/engine";
import { descendants } from "../../support/running";

const REPOSITORY = resolve(__dirname, "../../..");

/** A Pulumi project in a directory of its own, run by one kind of engine. */
class Project {
    readonly directory = mkdtempSync(join(tmpdir(), "same-as-pulumi-"));
    readonly log = join(this.directory, "log");

    constructor(private readonly kind: EngineKind) {
        copyFileSync(join(__dirname, "same-as-pulumi.js"), join(this.directory, "index.js"));
        symlinkSync(join(REPOSITORY, "node_modules"), join(this.directory, "node_modules"));
        const runtime = "runtime:\n    name: nodejs\n    options:\n        typescript: false\n";
        writeFileSync(join(this.directory, "Pulumi.yaml"), `name: sample\n${runtime}main: index.js\n`);
        writeFileSync(join(this.directory, "package.json"), '{"name": "sample", "main": "index.js"}');
        writeFileSync(join(this.directory, "Pulumi.test.yaml"), `config:\n    sample:log: ${this.log}\n`);
    }

    /** What ran in a step, and what the engine says of it. */
    async run(step: string): Promise<{ readonly ran: readonly string[]; readonly said: unknown }> {
        const child = this.start(step);
        let said = "";
        child.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
        await new Promise((next) => child.on("close", next));
        return { ran: this.ran(), said: JSON.parse(said) as unknown };
    }

    /** Kills an `up` and all its helpers while `slow` runs. */
    async kill(): Promise<readonly string[]> {
        const child = this.start("kill");
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

    private start(step: string): ChildProcessByStdio<null, Readable, null> {
        const script = join(__dirname, "run-project.ts");
        return spawn(process.execPath, ["--import", "tsx", script, this.directory, this.kind, step], {
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
    ["change-flag", "updates one"],
    ["first", "updates it back"],
    ["renew", "replaces one the new first, and what it triggers"],
    ["first", "and back"],
    ["replace-vm", "replaces a machine and what is on it, the old first"],
    ["first", "and back"],
    ["fail", "fails"],
    ["after-fail", "goes on"],
    ["first", "and back"],
    ["kill", "is killed"],
    ["after-kill", "goes on after the kill"],
    ["remove", "deletes what is no longer there"],
    ["destroy", "deletes everything"],
] as const;

const hasPulumi = spawnSync("pulumi", ["version"]).status === 0;
const reason = hasPulumi ? "" : " (skipped: there is no Pulumi CLI on PATH to compare with)";

(hasPulumi ? test : test.skip)(
    `the offline engine runs the same commands in the same order as the Pulumi CLI, and keeps the same state${reason}`,
    async () => {
        const projects = { pulumi: new Project("pulumi"), offline: new Project("offline") };
        try {
            for (const [step, what] of STEPS) {
                if (step === "kill") {
                    expect({ what, ran: await projects.offline.kill() }).toEqual({
                        what,
                        ran: await projects.pulumi.kill(),
                    });
                    continue;
                }
                const [pulumi, offline] = [await projects.pulumi.run(step), await projects.offline.run(step)];
                expect({ what, said: offline.said, ran: [...offline.ran].sort() }).toEqual({
                    what,
                    said: pulumi.said,
                    ran: [...pulumi.ran].sort(),
                });
                expect({ what, order: orderOf(offline.ran) }).toEqual({ what, order: orderOf(pulumi.ran) });
            }
        } finally {
            projects.pulumi.remove();
            projects.offline.remove();
        }
    },
    300_000,
);
