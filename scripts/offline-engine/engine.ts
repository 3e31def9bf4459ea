import { join } from "node:path";
import { INTERRUPTED, type Engine, type EngineOptions, type Summary } from "../cli/engine";
import { readProject, stackConfig } from "./config";
import { Deployment } from "./deployment";
import { takeLock } from "./lock";
import { programOf, runProgram, type Program } from "./program";
import { registerBuiltInProviders } from "./providers";
import { Run } from "./run";
import { SecretBox, stackPassphrase } from "./secrets";
import { readStateFile, StateStore } from "./state";
import { isObject, isSecret, plainProperties, type Properties, type Value } from "./value";

/** What a test runs in place of this repository's program. */
export interface InlineProgram {
    readonly project: string;
    readonly program: Program;
}

/**
 * Runs this repository's Pulumi program where the Pulumi CLI can't be had.
 *
 * It isn't Pulumi, and knows nothing but what this repository needs: the resource types command:*, random:*, tls:* and Stash
 * (`registerProvider` adds others), one process, one state file, `.kubelab/<stack>/state.json`. It takes the CLI's part
 * towards the Pulumi SDK in the program, which runs unchanged, and follows the Pulumi engine's rules: `up` is a diff,
 * replaced resources go after the new ones are there, what the program no longer has is deleted at the end, dependents first.
 * It has no refresh, import, aliases, targets, transforms or hooks, and its state isn't the CLI's: a stack is brought up and
 * down by the same engine.
 */
export class OfflineEngine implements Engine {
    readonly name = "offline engine";
    private readonly directory: string;
    private readonly stateFile: string;

    constructor(
        private readonly options: EngineOptions,
        private readonly inline?: InlineProgram,
    ) {
        this.directory = join(options.repository, ".kubelab", options.stack);
        this.stateFile = join(this.directory, "state.json");
        registerBuiltInProviders();
    }

    preview(): Promise<Summary> {
        return this.deploy(true);
    }

    up(): Promise<Summary> {
        return this.locked("up", () => this.deploy(false));
    }

    destroy(): Promise<Summary> {
        return this.locked("down", async () => {
            const project = this.inline?.project ?? readProject(this.options.repository).name;
            const run = new Run(false, this.options.report);
            await interruptible(run, () => this.deployment(run, project).destroy());
            return run.summary();
        });
    }

    outputs({ showSecrets }: { readonly showSecrets: boolean }): Promise<Record<string, unknown>> {
        const content = readStateFile(this.stateFile);
        const sealed = content?.resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
        if (!content || !showSecrets) {
            return Promise.resolve(hidden(sealed));
        }
        return Promise.resolve(plainProperties(this.secretBox(content).openProperties(sealed)));
    }

    exists(): Promise<boolean> {
        const content = readStateFile(this.stateFile);
        return Promise.resolve(content !== undefined && content.resources.length + content.pending.length > 0);
    }

    private async deploy(preview: boolean): Promise<Summary> {
        const { repository, stack, configOverrides, report } = this.options;
        const project = this.inline ? undefined : readProject(repository);
        const name = this.inline?.project ?? project?.name ?? "";
        const config = project ? stackConfig(repository, stack, project, configOverrides) : configOverrides;
        const program = this.inline?.program ?? programOf(project?.main ?? "");
        const run = new Run(preview, report);
        const deployment = this.deployment(run, name);
        await interruptible(run, async () => {
            await runProgram(program, deployment, run, { project: name, stack }, config);
            await deployment.finish();
        });
        return run.summary();
    }

    private deployment(run: Run, project: string): Deployment {
        const identity = { project, stack: this.options.stack };
        const content = readStateFile(this.stateFile);
        const box = this.secretBox(content);
        const store = new StateStore(run.preview ? undefined : this.stateFile, identity, box, content);
        return new Deployment(run, store, identity);
    }

    private secretBox(content: ReturnType<typeof readStateFile>): SecretBox {
        return new SecretBox(stackPassphrase(join(this.directory, "passphrase")), content?.key);
    }

    private async locked<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
        const release = takeLock(join(this.directory, "lock"), operation);
        try {
            return await work();
        } finally {
            release();
        }
    }
}

/** The first interrupt lets what runs end and begins nothing new; the second ends what runs. */
async function interruptible(run: Run, work: () => Promise<void>): Promise<void> {
    const onInterrupt = (): void => {
        if (run.stopped) {
            run.abort();
        } else {
            run.stop("", INTERRUPTED);
        }
    };
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onInterrupt);
    try {
        await work();
        await run.drain();
    } finally {
        process.off("SIGINT", onInterrupt);
        process.off("SIGTERM", onInterrupt);
    }
}

function hidden(properties: Properties): Record<string, unknown> {
    const hide = (value: Value): unknown => {
        if (isSecret(value)) {
            return "[secret]";
        }
        if (Array.isArray(value)) {
            return (value as readonly Value[]).map(hide);
        }
        return isObject(value) ? hidden(value) : value;
    };
    return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, hide(value)]));
}
