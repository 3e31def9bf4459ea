import pc from "picocolors";
import { UserError } from "../support/errors";
import type { Summary } from "../engine/event";
import type { ClusterAccess } from "./cluster-access";
import { CLOCK, localLab } from "./differences";
import { KeptRepairs } from "./kept-repairs";
import { openCluster } from "./open-cluster";
import { Progress, summaryLine } from "./progress";
import type { Stack } from "./stack";
import { clusterStatus, type ClusterStatus, isHealthyNode } from "./status";
import { settled } from "./stopped-machines";
import { engineFor } from "./up";

/** Seconds that things which the steps don't wait for (a pod's network, a node that turns Ready) are given. */
const SETTLE_SECONDS = 90;
const HOST = "host";

/**
 * Runs the steps of these nodes again, or of those with drift, and reports what that fixed. The value of
 * `kubelab:repair` that makes them run is kept beside the stack, so that an `up` afterwards has nothing to do.
 *
 * @returns whether the repaired nodes have no drift afterwards.
 * @throws UserError when the stack isn't up or has no such node.
 */
export async function repair(stack: Stack, asked: readonly string[], json: boolean): Promise<boolean> {
    stack.requireConfig();
    refuseUnknown(stack, asked);
    const cluster = await openCluster(stack);
    const before = await clusterStatus(cluster);
    const found = problems(before);
    found.forEach((each) => {
        console.log(`${pc.yellow("drift:")} ${render(each)}`);
    });
    const targets = asked.length > 0 ? asked : [...new Set(found.map(({ where }) => where))];
    if (targets.length === 0) {
        console.log("no drift: everything is as `up` left it");
        return true;
    }
    await setClocks(
        cluster,
        found.flatMap(({ where, subject }) => (subject === CLOCK && targets.includes(where) ? [where] : [])),
    );
    new KeptRepairs(stack).add(targets, new Date().toISOString());
    let summary: Summary | undefined;
    let failure: unknown;
    try {
        const progress = new Progress();
        const engine = await engineFor(stack, {}, progress.report);
        summary = await engine.up().finally(() => progress.finish());
        console.log(summaryLine(summary));
    } catch (error) {
        failure = error;
        console.error(pc.red(error instanceof Error ? error.message : String(error)));
    }
    let left: readonly Problem[] = [];
    const mended = await settled(failure === undefined ? SETTLE_SECONDS : 0, async () => {
        left = problems(await clusterStatus(cluster)).filter(({ where }) => targets.includes(where));
        return left.length > 0;
    });
    const remaining = new Set(left.map(render));
    const putBack = found.filter((each) => targets.includes(each.where) && !remaining.has(render(each)));
    putBack.forEach((each) => {
        console.log(`${pc.green("put back:")} ${render(each)}`);
    });
    left.forEach((each) => {
        console.log(`${pc.red("still drifts:")} ${render(each)}`);
    });
    if (mended && failure === undefined) {
        console.log(`no drift left on ${targets.join(", ")}`);
    }
    if (json) {
        console.log(JSON.stringify({ ...summary, before: found, putBack, left }));
    }
    return mended && failure === undefined;
}

/** A local machine has its time from this host; a virtual one that was suspended may have fallen behind. */
async function setClocks(cluster: ClusterAccess, names: readonly string[]): Promise<void> {
    const local = localLab(cluster.stack) === undefined ? [] : names;
    await Promise.all(
        local.map((name) => {
            const time = (Date.now() / 1000).toFixed(3);
            return cluster.tryAsRoot(cluster.stack.node(name), `date --set=@${time} >/dev/null`, 20);
        }),
    );
}

/** A difference with the node that has it, or `host`. */
interface Problem {
    readonly where: string;
    readonly subject: string;
    readonly difference: string;
}

/** All drift; an unhealthy node counts too. */
function problems({ host, nodes }: ClusterStatus): Problem[] {
    return [
        ...host.map((each) => ({ where: HOST, ...each })),
        ...nodes.flatMap((node): Problem[] => {
            const expired = (node.expiring ?? []).filter((each) => each.expired);
            const differences = [
                ...node.differences,
                ...expired.map(({ file, ends }) => ({ subject: file, difference: `expired on ${ends}` })),
            ].map((each) => ({ where: node.name, ...each }));
            return differences.length > 0 || isHealthyNode(node)
                ? differences
                : [{ where: node.name, subject: "node", difference: node.ready === false ? "not Ready" : "not well" }];
        }),
    ];
}

function render({ where, subject, difference }: Problem): string {
    return `${where}: ${subject}: ${difference}`;
}

function refuseUnknown(stack: Stack, asked: readonly string[]): void {
    const known = [...stack.outputs().nodes.map(({ name }) => name), HOST];
    const unknown = asked.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
        throw new UserError(
            `There is no ${unknown.map((name) => `"${name}"`).join(", ")}. It can be: ${known.join(", ")}.`,
        );
    }
}
