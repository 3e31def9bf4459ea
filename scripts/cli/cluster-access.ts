import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { SUDO_PASSWORD } from "../../components/cluster-spec/environment";
import { commandAsRoot, inputAsRoot, type Login, passwordLines } from "../../components/steps/as-root";
import { UserError } from "../support/errors";
import { wordsOf } from "../support/words";
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
    private loginOf(node: StackNode): Login {
        const user = this.sshWords(node).at(-1)?.split("@")[0] ?? "";
        return { user, sudoPassword: process.env[SUDO_PASSWORD] };
    }

    private sshWords(node: StackNode): readonly string[] {
        const commandLine = this.stack.outputs().sshCommands[node.name];
        if (commandLine === undefined) {
            throw new UserError(`The stack has no SSH command for ${node.name}.`);
        }
        return wordsOf(commandLine);
    }

    /** To be run in the repository: the paths in it are from there. */
    sshCommand(node: StackNode, command: readonly string[]): string[] {
        const [ssh = "ssh", ...options] = this.sshWords(node);
        // Those that `up` of an earlier version left out.
        const own = ["-F", "none", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
        return [ssh, ...own, ...options, ...command];
    }

    /** kubectl's standard output. @throws Error with what kubectl said when it fails. */
    async kubectl(args: readonly string[], input?: string): Promise<string> {
        return said(`kubectl ${args.slice(0, 6).join(" ")}`, await this.tryKubectl(args, input));
    }

    tryKubectl(args: readonly string[], input?: string, timeoutSeconds = 180): Promise<Result> {
        return run(this.kubectlCommand(args), { timeoutSeconds, ...(input === undefined ? {} : { input }) });
    }

    /** Standard output of a command line on a machine. @throws Error with what it said when it fails. */
    async ssh(node: StackNode, commandLine: string, timeoutSeconds = 30): Promise<string> {
        return said(`on ${node.name}: ${commandLine}`, await this.trySsh(node, commandLine, timeoutSeconds));
    }

    /** @param input what the command line gets on its standard input. */
    trySsh(node: StackNode, commandLine: string, timeoutSeconds = 30, input?: string): Promise<Result> {
        return run(this.sshCommand(node, [commandLine]), {
            cwd: this.stack.repository,
            timeoutSeconds,
            ...(input === undefined ? {} : { input }),
        });
    }

    /** As `tryAsRoot`. @throws UserError with the node and what the script said when it fails. */
    async asRoot(node: StackNode, script: string, timeoutSeconds: number): Promise<void> {
        const { code, stderr } = await this.tryAsRoot(node, script, timeoutSeconds);
        if (code !== 0) {
            throw new UserError(`${node.name}: ${stderr.trim() || `exit ${code}`}`);
        }
    }

    /** Runs a command on a machine as root, with a file of this host as its standard input. */
    feedAsRoot(node: StackNode, command: string, file: string, timeoutSeconds: number): Promise<Result> {
        const login = this.loginOf(node);
        return run(this.sshCommand(node, [commandAsRoot(login, command)]), {
            cwd: this.stack.repository,
            timeoutSeconds,
            input: [...passwordLines(login).map((line) => `${line}\n`), createReadStream(file)],
        });
    }

    /**
     * Runs a bash script on a machine as root until `more`, the rest of its standard input, ends.
     *
     * @param onOutput gets what it prints, as it comes.
     */
    sessionAsRoot(
        node: StackNode,
        script: string,
        more: Readable,
        onOutput: (text: string) => void,
        timeoutSeconds: number,
    ): Promise<Result> {
        const login = this.loginOf(node);
        return run(this.sshCommand(node, [commandAsRoot(login, "bash -s")]), {
            cwd: this.stack.repository,
            timeoutSeconds,
            input: [inputAsRoot(login, script), more],
            onOutput,
        });
    }

    /** Runs a bash script on a machine as root. */
    tryAsRoot(node: StackNode, script: string, timeoutSeconds: number): Promise<Result> {
        const { command, input } = this.scriptAsRoot(node, script);
        return run(command, { cwd: this.stack.repository, timeoutSeconds, input });
    }

    /**
     * What runs a bash script on a machine as root: a command, to be run in the repository, and its standard input.
     *
     * @param args words without quotes in them.
     */
    scriptAsRoot(
        node: StackNode,
        script: string,
        args: readonly string[] = [],
    ): { readonly command: string[]; readonly input: string } {
        const login = this.loginOf(node);
        const words = ["bash -s", ...(args.length === 0 ? [] : ["--", ...args])].join(" ");
        return { command: this.sshCommand(node, [commandAsRoot(login, words)]), input: inputAsRoot(login, script) };
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
