import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterSpec } from "../../components/cluster-spec";
import { UserError } from "../support/errors";
import type { ClusterAccess } from "./cluster-access";
import { openCluster } from "./open-cluster";
import { requireSpec } from "./spec-of-stack";
import type { Stack, StackNode } from "./stack";
import { up, parseConfig } from "./up";
import { planRollout, refusals, renderPlan, type Running } from "./upgrade/plan";

const SCRIPT = readFileSync(join(__dirname, "upgrade/versions.sh"), "utf8");
const TIMEOUT_SECONDS = 60;

export interface UpgradeOptions {
    /** `key=value`, for this run. */
    readonly config: readonly string[];
    /** Show what would happen only. */
    readonly plan: boolean;
    readonly json: boolean;
}

/**
 * Shows in which order the nodes of a running cluster go to the versions of the config, and has `up` do that.
 *
 * @throws UserError where the stack isn't up, a node doesn't answer, or the versions can't follow those that run.
 */
export async function upgrade(stack: Stack, { config, plan, json }: UpgradeOptions): Promise<void> {
    stack.requireConfig();
    const spec = requireSpec(stack, parseConfig(config));
    const running = await runningVersions(await openCluster(stack), spec);
    const refused = refusals(spec, running);
    if (refused.length > 0) {
        throw new UserError(refused.join("\n"));
    }
    const stages = planRollout(spec, running);
    console.log(plan && json ? JSON.stringify({ stages }) : renderPlan(stages, spec.upgrade));
    if (!plan && stages.length > 0) {
        await up(stack, { config, preview: false, json, verbose: false, flags: [] });
    }
}

async function runningVersions(cluster: ClusterAccess, spec: ClusterSpec): Promise<Readonly<Record<string, Running>>> {
    const names = spec.nodes.map(({ name }) => name);
    const nodes = cluster.stack.outputs().nodes.filter(({ name }) => names.includes(name));
    return Object.fromEntries(
        await Promise.all(nodes.map(async (node) => [node.name, await runningOn(cluster, node)] as const)),
    );
}

async function runningOn(cluster: ClusterAccess, node: StackNode): Promise<Running> {
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, SCRIPT, TIMEOUT_SECONDS);
    if (code !== 0) {
        throw new UserError(`${node.name} doesn't say what it runs: ${stderr.trim() || `exit ${code}`}`);
    }
    const running: Record<string, string> = {};
    for (const line of stdout.trim().split("\n").filter(Boolean)) {
        const [program = "", version = ""] = line.split(" ");
        running[program] = version;
    }
    return running;
}
