import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../support/errors";
import { ClusterAccess } from "./cluster-access";
import { runInTerminal } from "./run";
import type { Stack } from "./stack";

/** The running cluster of a stack. @throws UserError when it isn't up. */
export async function openCluster(stack: Stack): Promise<ClusterAccess> {
    if (!existsSync(stack.kubeconfig)) {
        throw new UserError(`The stack "${stack.name}" isn't up: run 'scripts/lab up --stack ${stack.name}' first.`);
    }
    const { openParts } = await import("../parts/store");
    const parts = openParts(stack.outputs().parts);
    return new ClusterAccess(stack, join(parts.path, "bin/kubectl"));
}

/** A shell on a machine, or a command, with this terminal; gives back its exit code. */
export async function sshInTerminal(stack: Stack, name: string, command: readonly string[]): Promise<number> {
    const access = new ClusterAccess(stack, "kubectl");
    return runInTerminal(access.sshCommand(stack.node(name), command));
}
