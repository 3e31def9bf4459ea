import type { ClusterAccess } from "../cluster-access";
import { openCluster } from "../open-cluster";
import type { BenchLab, UpReport } from "./lab";

/** Seconds from the start of the command, at which each phase was done; then what else was measured of one lab's life. */
export interface Run {
    readonly phases: Readonly<Record<Exclude<PhaseName, "web answering">, number>> & {
        /** Missing where the cluster lacks what a service needs: controllers, a scheduler, a service proxy. */
        readonly "web answering"?: number;
    };
    readonly noop: number;
    /** From the command to the end of `up`. */
    readonly oneMoreWorker: number;
    readonly down: number;
}

/** What is shown of the bring-up, by the names that `up` gives its phases. */
const PHASES = {
    machines: "machines answer",
    push: "parts on the machines",
    etcd: "etcd",
    "API server": "API server",
    "nodes Ready": "nodes Ready",
} as const;

export type PhaseName = keyof typeof PHASES | "all of up" | "web answering";
export const PHASE_NAMES: readonly PhaseName[] = [
    ...(Object.keys(PHASES) as (keyof typeof PHASES)[]),
    "all of up",
    "web answering",
];

/** Seconds within which the web service has to answer. */
const WEB_DEADLINE = 120;

/**
 * One life of a lab: up, a web service, up again without changes, one more worker, down.
 *
 * @param meanwhile is done while the lab is up and before the worker comes.
 */
export async function measureBringUp(lab: BenchLab, meanwhile: (first: UpReport) => Promise<void>): Promise<Run> {
    const first = await lab.up();
    const web = lab.servesWeb ? await webAnswers(await openCluster(lab.stack)) : undefined;
    await meanwhile(first);
    const again = await lab.up();
    const changed = again.created + again.updated + again.replaced + again.deleted;
    if (changed > 0) {
        throw new Error(`an up without changes changed ${changed} resources`);
    }
    const { wallSeconds: oneMoreWorker } = await lab.up({ workers: lab.workers + 1 });
    const down = await lab.down();
    const phases = Object.entries(PHASES).map(([name, phase]) => [name, doneAt(first, phase)] as const);
    return {
        phases: {
            ...(Object.fromEntries(phases) as Record<keyof typeof PHASES, number>),
            "all of up": first.wallSeconds,
            ...(web === undefined ? {} : { "web answering": first.wallSeconds + web }),
        },
        noop: again.wallSeconds,
        oneMoreWorker,
        down,
    };
}

/** Seconds until the phase was done. @throws where the bring-up had no such phase. */
export function doneAt(report: UpReport, phase: string): number {
    const found = report.phases.find((each) => each.phase === phase);
    if (found === undefined) {
        throw new Error(`the bring-up had no phase "${phase}": nothing of it was created`);
    }
    return found.to;
}

/** Seconds from the first command until three nginx pods behind a service answer on every node. */
async function webAnswers(cluster: ClusterAccess): Promise<number> {
    const started = performance.now();
    await cluster.kubectl(["create", "deployment", "web", "--image=nginx", "--replicas=3"]);
    await cluster.kubectl(["expose", "deployment", "web", "--port=80"]);
    const address = (await cluster.kubectl(["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"])).trim();
    const ask = `timeout ${WEB_DEADLINE} sh -c 'until curl -sf --max-time 1 http://${address}/ | grep -q nginx; do sleep 0.1; done'`;
    const { nodes } = cluster.stack.outputs();
    await Promise.all([
        ...nodes.map((node) => cluster.ssh(node, ask, WEB_DEADLINE + 10)),
        cluster.kubectl(["rollout", "status", "deployment/web", `--timeout=${WEB_DEADLINE}s`]),
    ]);
    return (performance.now() - started) / 1000;
}
