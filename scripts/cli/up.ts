import { mkdirSync } from "node:fs";
import pc from "picocolors";
import { ensureCli } from "../engine/cli";
import { Engine } from "../engine/engine";
import { installPlugins } from "../engine/packages";
import type { EngineEvent, Summary } from "../engine/event";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { ClusterAccess } from "./cluster-access";
import { prepareForLab } from "./doctor";
import { ExerciseState } from "../exercise/state";
import { KeptRepairs } from "./kept-repairs";
import { PhaseClock, renderPhases } from "./phases";
import { Progress, summaryLine } from "./progress";
import { refuseWithoutQuorum } from "./quorum";
import { RunningResources } from "./running-resources";
import { getSoftware } from "./software";
import type { Stack } from "./stack";
import { waitUntilWell } from "./start";
import { removeBootUnit } from "./start/boot-unit";
import { downParts, renderDownParts, startDownParts } from "./stopped-machines";

export interface UpOptions {
    /** `key=value`, for this run. */
    readonly config: readonly string[];
    readonly preview: boolean;
    /** End with a line of JSON. */
    readonly json: boolean;
    /** Show every resource and the commands' output. */
    readonly verbose: boolean;
    /** Further options for the CLI, e.g. `--refresh`. */
    readonly flags: readonly string[];
}

/** Brings the cluster of a stack up, or to what its config says now. @throws UserError, or the engine's error. */
export async function up(stack: Stack, options: UpOptions): Promise<void> {
    stack.requireConfig();
    const overrides = parseConfig(options.config);
    const display = new Display();
    try {
        await bringUpShown(stack, overrides, options, display);
    } finally {
        display.end();
    }
}

async function bringUpShown(
    stack: Stack,
    overrides: Readonly<Record<string, string>>,
    options: UpOptions,
    display: Display,
): Promise<void> {
    const clock = new PhaseClock(await prepare(stack, overrides, display, options.preview));
    let steps = 0;
    const down = await downParts(stack);
    if (down !== undefined) {
        const what = options.preview ? "`up` starts it again" : "restarting it, with its disks";
        display.progress(`not running although the stack is up: ${renderDownParts(down)}: ${what}`);
        if (!options.preview) {
            display.begin("machines");
            await startDownParts(stack, down, display.progress);
            // By SSH alone: the parts that have kubectl may be gone.
            await refuseWithoutQuorum(new ClusterAccess(stack, "kubectl"), down.absent);
        }
    }
    const summary = await operate(
        stack,
        { overrides, display, progress: new Progress({ ...options, write: (line) => display.line(line) }) },
        (engine) => (options.preview ? engine.preview(options.flags) : engine.up(options.flags)),
        (event) => {
            clock.record(event);
            steps += isStep(event) ? 1 : 0;
        },
    );
    display.line(summaryLine(summary, options.preview));
    if (options.preview) {
        if (options.json) {
            display.line(JSON.stringify(summary));
        }
        return;
    }
    if (down !== undefined) {
        await waitUntilWell(stack, display);
    }
    display.end();
    const phases = clock.phases();
    if (phases.length > 0) {
        console.log(`\n${renderPhases(phases)}`);
    }
    console.log(`\n${hints(stack, summary.seconds)}`);
    if (options.json) {
        console.log(JSON.stringify({ ...summary, steps, phases }));
    }
}

/** Finding software that is there already takes less: it is part of a bring-up. */
const FINDING_SECONDS = 5;

/** Sees to all that a run of the engine needs of this host. @returns the seconds that it took to get software; 0 where it was there. */
async function prepare(
    stack: Stack,
    overrides: Readonly<Record<string, string>>,
    display: Display,
    preview: boolean,
): Promise<number> {
    display.begin("this host");
    await prepareForLab(stack, overrides, display.progress);
    mkdirSync(stack.directory, { recursive: true, mode: 0o700 });
    // A preview runs no command, and so needs none of it.
    if (preview) {
        return 0;
    }
    const started = performance.now();
    await getSoftware(stack, overrides, display);
    const seconds = (performance.now() - started) / 1000;
    return seconds > FINDING_SECONDS ? seconds : 0;
}

/** Runs the engine, with what it does on display. */
async function operate(
    stack: Stack,
    {
        overrides,
        display,
        progress,
    }: {
        readonly overrides: Readonly<Record<string, string>>;
        readonly display: Display;
        readonly progress: Pick<Progress, "report" | "finish">;
    },
    run: (engine: Engine) => Promise<Summary>,
    record: (event: EngineEvent) => void = () => undefined,
): Promise<Summary> {
    const running = new RunningResources();
    display.begin("resources");
    const engine = await engineFor(
        stack,
        overrides,
        (event) => {
            record(event);
            running.record(event);
            progress.report(event);
        },
        (line) => display.progress(pc.dim(line)),
    );
    const telling = setInterval(() => display.now(running.text()), 200);
    try {
        return await run(engine);
    } finally {
        clearInterval(telling);
        progress.finish();
    }
}

/** The same, printing only changes and failures, for a command with output of its own. */
export async function bringUp(stack: Stack, overrides: Readonly<Record<string, string>>): Promise<Summary> {
    const display = new Display();
    const all = new Progress({ write: (line) => display.line(line) });
    const progress = {
        report: (event: EngineEvent): void => {
            if (event.kind === "failed" || event.kind === "warning" || event.type.startsWith("command:remote")) {
                all.report(event);
            }
        },
        finish: () => undefined,
    };
    try {
        await prepare(stack, overrides, display, false);
        return await operate(stack, { overrides, display, progress }, (engine) => engine.up());
    } finally {
        display.end();
    }
}

/** Deletes the cluster of a stack. */
export async function down(stack: Stack, json: boolean): Promise<void> {
    stack.requireConfig();
    const display = new Display();
    try {
        const progress = new Progress({ write: (line) => display.line(line) });
        const summary = await operate(stack, { overrides: {}, display, progress }, (engine) => engine.destroy());
        new KeptRepairs(stack).forget();
        new ExerciseState(stack).end();
        removeBootUnit(stack);
        display.line(summaryLine(summary));
        if (json) {
            display.line(JSON.stringify(summary));
        }
    } finally {
        display.end();
    }
}

/** The engine of a stack, with what `repair` has set beside the config. */
export async function engineFor(
    stack: Stack,
    configOverrides: Readonly<Record<string, string>>,
    report: (event: EngineEvent) => void,
    note: (line: string) => void = (line) => console.error(pc.dim(line)),
): Promise<Engine> {
    const cli = await ensureCli(note);
    await installPlugins(cli.path, note);
    note(`stack ${stack.name}, by Pulumi ${cli.version} (${cli.origin})`);
    return new Engine(
        {
            stack: stack.name,
            repository: stack.repository,
            configOverrides: new KeptRepairs(stack).addTo(configOverrides),
            report,
            note,
        },
        cli,
    );
}

/** The engine of a stack for a command that reads or writes its state only: it says nothing. */
export function quietEngine(stack: Stack): Promise<Engine> {
    return engineFor(
        stack,
        {},
        () => undefined,
        () => undefined,
    );
}

/** Whether a command was run, here or on a machine. */
function isStep({ kind, operation, type }: EngineEvent): boolean {
    return kind === "done" && operation !== "same" && type.startsWith("command:");
}

/** `key=value` arguments by full key. @throws UserError where one is none. */
export function parseConfig(pairs: readonly string[]): Record<string, string> {
    return Object.fromEntries(
        pairs.map((pair) => {
            const [key = "", ...value] = pair.split("=");
            if (value.length === 0 || key === "") {
                throw new UserError(`--config ${pair}: it takes key=value, as in --config kubelab:workers=3`);
            }
            return [key.includes(":") ? key : `kubelab:${key}`, value.join("=")];
        }),
    );
}

function hints(stack: Stack, seconds: number): string {
    const { nodes, apiServer } = stack.outputs();
    return [
        `${pc.green("✓")} ${pc.bold(`${nodes.length} ${nodes.length === 1 ? "node" : "nodes"}`)} at ${apiServer} after ${seconds.toFixed(1)} s`,
        `  kubeconfig: ${stack.kubeconfig}`,
        "",
        "  What to try:",
        ...[
            stack.command("kubectl", "get nodes -o wide"),
            stack.command("kubectl", "create deployment web --image=nginx"),
            stack.command("status"),
            stack.command("verify"),
            stack.command("ssh", nodes.at(-1)?.name ?? "cp-1", "-- ip route"),
            stack.command("down"),
        ].map((command) => `    ${command}`),
    ].join("\n");
}
