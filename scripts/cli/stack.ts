import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../support/errors";

/** The stack when neither a command nor the environment names one. */
export const FALLBACK_STACK = "kubenet";

/** The stack when a command names none. An empty variable is as none. */
export function defaultStack(): string {
    return process.env["KUBELAB_STACK"] || FALLBACK_STACK;
}

/** A node as `up` left it. */
export interface StackNode {
    readonly name: string;
    readonly role: "control-plane" | "worker";
    readonly address: string;
    /** Absent where the controller manager allocates it. */
    readonly podCidr?: string;
}

/** The outputs of a running stack that are not secret. */
export interface StackOutputs {
    readonly nodes: readonly StackNode[];
    readonly apiServer: string;
    readonly sshCommands: Readonly<Record<string, string>>;
    /** `kubenet`, or the name of the plugin. */
    readonly podNetwork: string;
    /** Digest of the parts that the cluster is made from. */
    readonly parts: string;
    /** Missing where an older version brought the stack up. */
    readonly lab?: { readonly name: string; readonly provider: string };
    /** Flags that weaken the cluster, which its config allows by name. */
    readonly insecure?: readonly (
        | { readonly component: string; readonly flag: string; readonly why: string }
        | { readonly setting: string; readonly why: string }
    )[];
}

/** One stack and the files kubelab keeps of it below `.kubelab/<stack>`, which git ignores. */
export class Stack {
    readonly directory: string;
    readonly kubeconfig: string;

    constructor(
        readonly repository: string,
        readonly name: string,
    ) {
        this.directory = join(repository, ".kubelab", name);
        this.kubeconfig = join(this.directory, "kubeconfig");
    }

    /** A command of scripts/lab on this stack as it is typed in the same shell: `scripts/lab up --stack cni`. */
    command(name: string, ...words: readonly string[]): string {
        const option = this.name === defaultStack() ? [] : ["--stack", this.name];
        return ["scripts/lab", name, ...option, ...words].join(" ");
    }

    /** @throws UserError when there is no `Pulumi.<stack>.yaml`, with the names there are. */
    requireConfig(): void {
        if (!existsSync(join(this.repository, `Pulumi.${this.name}.yaml`))) {
            const names = readdirSync(this.repository)
                .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
                .filter((name) => name !== undefined);
            throw new UserError(
                `There is no Pulumi.${this.name}.yaml, so no stack "${this.name}". Stacks here: ${names.join(", ")}.`,
            );
        }
    }

    /** Whether an `up` wrote outputs that no `down` removed. */
    isUp(): boolean {
        return existsSync(join(this.directory, "outputs.json"));
    }

    /** @throws UserError when there is no such stack, or it isn't up. */
    requireUp(): void {
        if (!this.isUp()) {
            this.requireConfig();
            throw new UserError(`The stack "${this.name}" isn't up: run '${this.command("up")}' first.`);
        }
    }

    /** The outputs of the last `up`. @throws UserError when there was none. */
    outputs(): StackOutputs {
        this.requireUp();
        return JSON.parse(readFileSync(join(this.directory, "outputs.json"), "utf8")) as StackOutputs;
    }

    controlPlanes(): StackNode[] {
        return this.outputs().nodes.filter(({ role }) => role === "control-plane");
    }

    node(name: string): StackNode {
        const { nodes } = this.outputs();
        const node = nodes.find((each) => each.name === name);
        if (node === undefined) {
            throw new UserError(`There is no node "${name}". Nodes: ${nodes.map((each) => each.name).join(", ")}.`);
        }
        return node;
    }
}
