import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StackOutputs } from "../../scripts/cli/stack";
import type { Summary } from "../../scripts/engine/event";
import { openParts } from "../../scripts/parts";
import { wordsOf } from "../../scripts/support/words";
import type { Ran } from "./running";
import { keepsForInspection, stopStory } from "./story";

const REPOSITORY = join(__dirname, "../..");

/** A program in examples/, run in its own directory as `pulumi up` there would, in a stack of the tests' own. */
export class Example {
    readonly directory: string;
    private readonly stackFile: string;

    /**
     * @param config of its stack.
     * @param variables of its environment, beside the tests' own.
     */
    constructor(
        name: string,
        private readonly stack: string,
        config: Readonly<Record<string, string>> = {},
        private readonly variables: NodeJS.ProcessEnv = {},
    ) {
        this.directory = join(REPOSITORY, "examples", name);
        this.stackFile = join(this.directory, `Pulumi.${stack}.yaml`);
        writeFileSync(this.stackFile, `${JSON.stringify({ config })}\n`);
    }

    run(verb: "up" | "preview" | "destroy"): Ran {
        const main = join(REPOSITORY, "test/support/engine-main.ts");
        return this.execute([process.execPath, "--require", "tsx/cjs", main, verb, this.stack], 600);
    }

    /** As `run`, but fails with what was said. */
    succeed(verb: "up" | "preview" | "destroy"): Summary {
        const { code, stdout, stderr } = this.run(verb);
        if (code !== 0) {
            if (verb === "up") {
                stopStory();
            }
            throw new Error(`${verb} ended with ${code}:\n${stderr}`);
        }
        return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Summary;
    }

    /** Where a cluster of the program keeps files. */
    files(cluster: string): string {
        return join(this.directory, ".kubelab", this.stack, cluster);
    }

    outputs(cluster: string): StackOutputs {
        return JSON.parse(readFileSync(join(this.files(cluster), "outputs.json"), "utf8")) as StackOutputs;
    }

    kubectl(cluster: string, ...args: readonly string[]): Ran {
        const program = join(openParts(this.outputs(cluster).parts).path, "bin/kubectl");
        return this.execute([program, "--kubeconfig", join(this.files(cluster), "kubeconfig"), ...args], 120);
    }

    /** A command line on a machine, by the SSH command that the program put out. */
    ssh(cluster: string, node: string, commandLine: string): Ran {
        const words = wordsOf(this.outputs(cluster).sshCommands[node] ?? "");
        return this.execute([...words, commandLine], 60);
    }

    private execute([program = "", ...args]: readonly string[], seconds: number): Ran {
        const options = {
            cwd: this.directory,
            encoding: "utf8",
            timeout: seconds * 1000,
            maxBuffer: 64 << 20,
        } as const;
        const env = { ...process.env, KUBELAB_OFFLINE: "1", ...this.variables };
        const ran = spawnSync(program, args, { ...options, env });
        return { code: ran.status ?? 1, stdout: ran.stdout, stderr: ran.stderr };
    }

    /** Takes everything down, whatever state it is in, and forgets the stack; unless it is kept for inspection. */
    remove(): void {
        if (keepsForInspection()) {
            console.log(`kept after a failure: the stack ${this.stack} of ${this.directory}`);
            return;
        }
        if (existsSync(join(this.directory, ".kubelab"))) {
            this.run("destroy");
        }
        rmSync(this.stackFile, { force: true });
        rmSync(join(this.directory, ".kubelab"), { recursive: true, force: true });
    }
}
