import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { EngineEvent } from "../../../scripts/cli/engine";
import { OfflineEngine } from "../../../scripts/offline-engine/engine";

export const PROJECT = "sample";

/** A stack of its own in a directory that goes after the test, and what its commands and its engine did. */
export class Sample {
    readonly directory = mkdtempSync(join(tmpdir(), "offline-engine-"));
    readonly stateFile = join(this.directory, ".kubelab/test/state.json");
    readonly lockFile = join(this.directory, ".kubelab/test/lock");
    readonly log = join(this.directory, "log");
    readonly events: EngineEvent[] = [];

    /** The engine for a program; programs differ as a program does between two runs. */
    engine(program: () => object | void): OfflineEngine {
        return new OfflineEngine(
            {
                stack: "test",
                repository: this.directory,
                configOverrides: { [`${PROJECT}:size`]: "3" },
                report: (event) => this.events.push(event),
            },
            { project: PROJECT, program: () => new Promise((resolve) => resolve({ ...program() })) },
        );
    }

    /** A command that writes its name and what it was run for to the log, and gives out its `value`. */
    command(
        name: string,
        args: { readonly value?: pulumi.Input<string>; readonly triggers?: pulumi.Input<pulumi.Input<string>[]> } = {},
        options?: pulumi.CustomResourceOptions,
    ): local.Command {
        const note = (what: string): string => `echo "${what} ${name} $(cat)" >> ${this.log}`;
        return new local.Command(
            name,
            {
                create: `${note("run")}; echo "${name}"`,
                delete: note("delete"),
                stdin: args.value ?? "",
                ...(args.triggers ? { triggers: args.triggers } : {}),
                addPreviousOutputInEnv: false,
            },
            options,
        );
    }

    /** What the commands wrote since the last call. */
    ran(): string[] {
        const lines = existsSync(this.log) ? readFileSync(this.log, "utf8").split("\n") : [];
        rmSync(this.log, { force: true });
        return lines.map((line) => line.trim()).filter((line) => line !== "");
    }

    note(line: string): void {
        appendFileSync(this.log, `${line}\n`);
    }

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
