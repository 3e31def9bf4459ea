import { renderReport, type Report } from "../inspect/events";
import { condition, ownedBy, type Pod, type Workload } from "../inspect/snapshot";
import { done, type Explanation, failed, type Finding, follow, type Look, type Next } from "./explanation";
import { refusalOf } from "./failed-create";
import { type Facts, lastReport, secondsSince } from "./facts";
import { podsOf } from "./gather";
import { controlPlanePart, notRunning } from "./parts";
import { isPodReady, podStages } from "./pod";
import { resourceName } from "./resource";

/** The chain of what makes pods, and of the first of its pods that isn't ready. */
export function explainWorkload(facts: Facts, workload: Workload): Explanation {
    const pods = podsOf(workload, facts.snapshot).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const alive = workload.kind === "Job" ? pods : pods.filter(({ status }) => status.phase !== "Failed");
    const [first] = alive;
    const followed = follow([
        {
            stage: "admitted",
            responsible: "API server",
            find: () => done(`stored ${workload.metadata.creationTimestamp}`),
        },
        { stage: "seen by its controller", responsible: "controller manager", find: () => seen(facts, workload) },
        ...(workload.kind === "Deployment"
            ? [
                  {
                      stage: "ReplicaSet made",
                      responsible: "controller manager",
                      find: () => replicaSet(facts, workload),
                  } as const,
              ]
            : []),
        { stage: "pods made", responsible: "controller manager", find: () => podsMade(facts, workload, alive) },
        ...(first === undefined || finished(workload) ? [] : nested(facts, first)),
    ]);
    const ready = alive.filter(isPodReady).length;
    return {
        resource: resourceName(workload),
        namespace: workload.metadata.namespace ?? "",
        summary:
            followed.fault?.summary ??
            (finished(workload) ? "It is complete." : `${ready} of ${wanted(workload)} pods are ready.`),
        ...followed,
    };
}

function nested(facts: Facts, pod: Pod): Look[] {
    return podStages(facts, pod).map((look) =>
        look.stage === "admitted" ? { ...look, stage: `pod ${pod.metadata.name}` } : look,
    );
}

function finished({ kind, status }: Workload): boolean {
    return kind === "Job" && condition(status.conditions, "Complete")?.status === "True";
}

/** Pods that should be there. */
function wanted({ kind, spec, status }: Workload): number {
    switch (kind) {
        case "Deployment":
        case "ReplicaSet":
        case "StatefulSet":
            return spec.replicas ?? 1;
        case "DaemonSet":
            return status.desiredNumberScheduled ?? 0;
        case "Job":
            return spec.suspend === true
                ? 0
                : Math.min(spec.parallelism ?? 1, Math.max(0, (spec.completions ?? 1) - (status.succeeded ?? 0)));
    }
}

function seen(facts: Facts, workload: Workload): Finding {
    const { generation = 0 } = workload.metadata;
    const { observedGeneration, startTime, conditions = [] } = workload.status;
    const state = controlPlanePart(facts, "controller manager");
    const isSeen =
        workload.kind === "Job"
            ? startTime !== undefined || conditions.length > 0
            : (observedGeneration ?? 0) >= generation;
    if (isSeen) {
        const line =
            workload.kind === "Job"
                ? `started ${startTime ?? "no pod yet"}`
                : `observedGeneration ${observedGeneration} of ${generation}`;
        return done(line, ...state.evidence);
    }
    const evidence = [
        workload.kind === "Job"
            ? "no status.startTime"
            : `observedGeneration ${observedGeneration ?? "none"}, generation ${generation}`,
        ...state.evidence,
    ];
    const summary = state.runs
        ? `The controller manager runs and hasn't looked at the object in ${secondsSince(facts, workload.metadata.creationTimestamp)} s.`
        : "No controller manager runs: the object is stored, and nobody makes pods of it.";
    return failed(evidence, notRunning("controller manager", state, summary));
}

/** The ReplicaSet of the newest revision. */
function newestSet({ snapshot }: Facts, deployment: Workload): Workload | undefined {
    const revision = ({ metadata }: Workload): number =>
        Number(metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
    return snapshot.workloads
        .filter((each) => each.kind === "ReplicaSet" && ownedBy(each, deployment))
        .sort((a, b) => revision(b) - revision(a))[0];
}

function replicaSet(facts: Facts, deployment: Workload): Finding {
    const set = newestSet(facts, deployment);
    if (set !== undefined) {
        const paused = deployment.spec.paused === true ? ["spec.paused: changes of the template wait"] : [];
        return done(`ReplicaSet ${set.metadata.name}, ${set.spec.replicas ?? 0} replicas`, ...paused);
    }
    const state = controlPlanePart(facts, "controller manager");
    if (deployment.spec.paused === true) {
        return failed(["spec.paused: true"], {
            responsible: "author",
            nodes: [],
            summary: "The deployment is paused: its controller makes no ReplicaSet until `kubectl rollout resume`.",
            said: [],
            next: [describe(deployment)],
        });
    }
    return failed(
        state.evidence,
        notRunning("controller manager", state, "The deployment has no ReplicaSet.", [describe(deployment)]),
    );
}

function podsMade(facts: Facts, workload: Workload, pods: readonly Pod[]): Finding {
    const count = wanted(workload);
    const maker = workload.kind === "Deployment" ? newestSet(facts, workload) : workload;
    const line = `${pods.length} of ${count} pods`;
    const broken = condition(workload.status.conditions, "Failed");
    if (workload.kind === "Job" && broken?.status === "True") {
        const said = `The job has failed (${broken.reason ?? ""}): ${broken.message ?? ""}`;
        return failed([said], {
            responsible: "container",
            nodes: [],
            summary: said,
            said: logsOf(facts, pods),
            next: [describe(workload), ...podNext(pods)],
        });
    }
    if (pods.length >= count || finished(workload)) {
        return done(line, ...limits(workload, count));
    }
    const report = maker === undefined ? undefined : lastReport(facts, maker, "FailedCreate");
    const state = controlPlanePart(facts, "controller manager");
    if (report !== undefined && stillTrue(report, pods)) {
        const { responsible, summary, next } = refusalOf(report.message, workload.metadata.namespace ?? "");
        return failed([line, renderReport(report), ...state.evidence], {
            responsible,
            nodes: [],
            summary: `${summary}: ${report.message}`,
            said: [
                { who: report.by, lines: [renderReport(report)] },
                ...(responsible === "controller manager" ? state.said : []),
            ],
            next: [
                ...next,
                ...(responsible === "controller manager" ? [...state.nodes.map(flagsOf), ...state.next] : []),
                describe(maker ?? workload),
            ],
        });
    }
    if (!state.runs) {
        return failed(
            [line, ...state.evidence],
            notRunning(
                "controller manager",
                state,
                `${count - pods.length} pods are missing, and no controller manager runs that would make them.`,
            ),
        );
    }
    return failed([line, ...state.evidence], {
        responsible: "controller manager",
        nodes: state.nodes,
        summary: `The controller manager runs, and ${count - pods.length} pods are missing.`,
        said: state.said,
        next: [describe(maker ?? workload), ...state.next],
    });
}

/** A refusal older than the newest pod is of another time. */
function stillTrue({ time }: Report, pods: readonly Pod[]): boolean {
    return pods.every(({ metadata }) => metadata.creationTimestamp <= time);
}

function limits({ kind, spec, status }: Workload, count: number): string[] {
    if (count > 0) {
        return [];
    }
    return kind === "DaemonSet"
        ? [`no node is meant: ${status.desiredNumberScheduled ?? 0} match its selector, affinity and tolerations`]
        : spec.suspend === true
          ? ["spec.suspend: true: it makes no pods"]
          : kind === "Job"
            ? []
            : ["spec.replicas: 0: none is asked for"];
}

function logsOf(facts: Facts, pods: readonly Pod[]): { who: string; lines: readonly string[] }[] {
    return pods
        .flatMap(({ metadata, spec }) =>
            spec.containers.map(({ name }) => ({
                who: `container ${name} of ${metadata.name}`,
                lines: facts.logs[`${metadata.namespace}/${metadata.name}/${name}`] ?? [],
            })),
        )
        .filter(({ lines }) => lines.length > 0)
        .slice(0, 1);
}

function podNext(pods: readonly Pod[]): Next[] {
    return pods.slice(0, 1).map(({ metadata }) => ({
        command: "explain",
        words: ["-n", metadata.namespace ?? "", `pod/${metadata.name}`],
        why: "the first of its pods",
    }));
}

/** Its flag `--controllers` may leave one out. */
function flagsOf(node: string): Next {
    const words = [node, "--", "ps -o args= -C kube-controller-manager | tr ' ' '\\n' | grep controllers"];
    return { command: "ssh", words, why: "whether a flag turns the controller off" };
}

function describe(workload: Workload): Next {
    return {
        command: "kubectl",
        words: ["-n", workload.metadata.namespace ?? "", "describe", resourceName(workload)],
        why: "conditions and events",
    };
}
