import { join } from "node:path";
import { UserError } from "../support/errors";
import { type Result, run } from "./run";
import type { Stack, StackNode } from "./stack";

/** Ways into a running cluster: kubectl with its kubeconfig, SSH to its machines with the pinned host keys. */
export class ClusterAccess {
    constructor(
        readonly stack: Stack,
        /** Path of the kubectl binary. */
        private readonly kubectlPath: string,
    ) {}

    kubectlCommand(args: readonly string[]): string[] {
        return [this.kubectlPath, "--kubeconfig", this.stack.kubeconfig, ...args];
    }

    /** Who one is on a machine by SSH. */
    userOf(node: StackNode): string {
        return this.sshWords(node).at(-1)?.split("@")[0] ?? "";
    }

    private sshWords(node: StackNode): readonly string[] {
        const words = this.stack.outputs().sshCommands[node.name]?.split(" ");
        if (words === undefined) {
            throw new UserError(`The stack has no SSH command for ${node.name}.`);
        }
        return words;
    }

    sshCommand(node: StackNode, command: readonly string[]): string[] {
        const [ssh = "ssh", ...options] = this.sshWords(node).map((word) =>
            word.replace(
                /(^|=)(\.kubelab\/)/,
                (_, before: string, path: string) => before + join(this.stack.repository, path),
            ),
        );
        return [ssh, "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", ...options, ...command];
    }

    /** kubectl's standard output. @throws Error with what kubectl said when it fails. */
    async kubectl(args: readonly string[], input?: string): Promise<string> {
        return said(`kubectl ${args.slice(0, 6).join(" ")}`, await this.tryKubectl(args, input));
    }

    tryKubectl(args: readonly string[], input?: string): Promise<Result> {
        return run(this.kubectlCommand(args), { timeoutSeconds: 180, ...(input === undefined ? {} : { input }) });
    }

    /** Standard output of a command line on a machine. @throws Error with what it said when it fails. */
    async ssh(node: StackNode, commandLine: string, timeoutSeconds = 30): Promise<string> {
        return said(`on ${node.name}: ${commandLine}`, await this.trySsh(node, commandLine, timeoutSeconds));
    }

    /** @param input what the command line gets on its standard input. */
    trySsh(node: StackNode, commandLine: string, timeoutSeconds = 30, input?: string): Promise<Result> {
        return run(this.sshCommand(node, [commandLine]), {
            timeoutSeconds,
            ...(input === undefined ? {} : { input }),
        });
    }
}

function said(what: string, { code, stdout, stderr }: Result): string {
    if (code !== 0) {
        throw new Error(
            `${what}: ${(stderr.trim() || stdout.trim() || `exit code ${code}`).split("\n").slice(-3).join(" | ")}`,
        );
    }
    return stdout;
}
