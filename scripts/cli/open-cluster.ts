import { join } from "node:path";
import { withoutProxy } from "../support/no-proxy";
import { ClusterAccess } from "./cluster-access";
import { runInTerminal } from "./run";
import type { Stack } from "./stack";
import { late } from "../support/late";

/** The running cluster of a stack. @throws UserError when it isn't up. */
export async function openCluster(stack: Stack): Promise<ClusterAccess> {
    const { parts: digest, apiServer, nodes } = stack.outputs();
    withoutProxy([new URL(apiServer).hostname, ...nodes.map(({ address }) => address)]);
    const { openParts } = await late<typeof import("../parts/store")>(require, "../parts/store");
    const parts = openParts(digest);
    return new ClusterAccess(stack, join(parts.path, "bin/kubectl"));
}

/** A shell on a machine, or a command, with this terminal; gives back its exit code. */
export async function sshInTerminal(stack: Stack, name: string, command: readonly string[]): Promise<number> {
    const access = new ClusterAccess(stack, "kubectl");
    return runInTerminal(access.sshCommand(stack.node(name), command), { cwd: stack.repository });
}
