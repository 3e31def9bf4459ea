import { renderReport } from "../inspect/events";
import { condition, type Pod } from "../inspect/snapshot";
import { explainClaim } from "./claim";
import { done, type Explanation, failed, type Fault, type Finding, type Next } from "./explanation";
import { type Facts, lastReport, machineOf, secondsSince } from "./facts";
import { nodeCondition } from "./node-conditions";
import { controlPlanePart, nodePart, notRunning } from "./parts";

/** Name of the scheduler that a pod asks for when it names none. */
const DEFAULT_SCHEDULER = "default-scheduler";

/** Who made the pod. */
export function made({ metadata }: Pod): Finding {
    const [owner] = metadata.ownerReferences ?? [];
    const mirror = metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
    const by = mirror
        ? "the kubelet reports it: its manifest is a file on the node"
        : owner === undefined
          ? "by itself: no controller makes it anew"
          : `by ${owner.kind} ${owner.name}`;
    return done(`stored ${metadata.creationTimestamp}, ${by}`);
}

export function bound(facts: Facts, pod: Pod): Finding {
    const { nodeName, schedulerName = DEFAULT_SCHEDULER, schedulingGates = [] } = pod.spec;
    if (nodeName !== undefined) {
        return boundTo(facts, pod, nodeName);
    }
    if (schedulingGates.length > 0) {
        const gates = schedulingGates.map(({ name }) => name).join(", ");
        return failed([`spec.schedulingGates: ${gates}`], {
            responsible: "author",
            nodes: [],
            summary: `The scheduler leaves the pod alone until whoever set its scheduling gates removes them: ${gates}.`,
            said: [],
            next: [describe(pod)],
        });
    }
    const report = lastReport(facts, pod, "FailedScheduling", "SchedulerError");
    const scheduled = condition(pod.status.conditions, "PodScheduled");
    const verdict = report === undefined ? scheduled?.message : report.message;
    const words = [
        scheduled === undefined
            ? "spec.nodeName is empty; no PodScheduled condition: no scheduler has looked at it"
            : `spec.nodeName is empty; PodScheduled ${scheduled.status}, ${scheduled.reason ?? ""}`,
        ...(report === undefined ? [] : [renderReport(report)]),
    ];
    if (schedulerName !== DEFAULT_SCHEDULER) {
        return failed([...words, `spec.schedulerName: ${schedulerName}`], {
            responsible: "scheduler",
            nodes: [],
            summary: `The pod asks for a scheduler "${schedulerName}", which ${verdict === undefined ? "has said nothing: kubelab runs none of that name" : `said: ${verdict}`}.`,
            said: [],
            next: [describe(pod)],
        });
    }
    const state = controlPlanePart(facts, "scheduler");
    if (!state.runs) {
        const summary = "The pod has no node, and no scheduler runs that would give it one.";
        return failed([...words, ...state.evidence], notRunning("scheduler", state, summary));
    }
    const claim = waitingClaim(facts, pod, verdict ?? "");
    if (claim?.fault !== undefined) {
        const summary = `The scheduler waits for the pod's claim ${claim.resource}. ${claim.summary}`;
        return failed([...words, ...claim.stages.flatMap(({ evidence }) => evidence)], { ...claim.fault, summary });
    }
    return failed([...words, ...state.evidence], {
        responsible: "scheduler",
        nodes: state.nodes,
        summary:
            verdict === undefined
                ? `The scheduler runs and has said nothing about the pod in ${secondsSince(facts, pod.metadata.creationTimestamp)} s.`
                : `The scheduler found no node for the pod: ${verdict}`,
        said: report === undefined ? state.said : [{ who: report.by, lines: [renderReport(report)] }],
        next: [...reasonsOfNodes(facts, pod, verdict ?? ""), ...state.next],
    });
}

function boundTo(facts: Facts, pod: Pod, nodeName: string): Finding {
    const report = lastReport(facts, pod, "Scheduled");
    const evidence = report === undefined ? `spec.nodeName: ${nodeName}` : renderReport(report);
    if (facts.snapshot.nodes.some(({ metadata }) => metadata.name === nodeName)) {
        return done(evidence);
    }
    return failed([evidence, `the API has no node ${nodeName}`], {
        responsible: report === undefined ? "author" : "kubelet",
        nodes: [nodeName],
        summary: `The pod names the node ${nodeName}, which the cluster doesn't have: no kubelet takes it.`,
        said: [],
        next: [{ command: "kubectl", words: ["get", "nodes"], why: "the nodes there are" }],
    });
}

/** The claim that keeps a pod from being scheduled. */
function waitingClaim(facts: Facts, pod: Pod, verdict: string): Explanation | undefined {
    const names = (pod.spec.volumes ?? []).flatMap(
        ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
    );
    return /persistentvolumeclaim/i.test(verdict)
        ? facts.snapshot.claims
              .filter(({ metadata }) => metadata.namespace === pod.metadata.namespace && names.includes(metadata.name))
              .map((claim) => explainClaim(facts, claim))
              .find(({ well }) => !well)
        : undefined;
}

/** What to look at, by what the scheduler said. https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins */
function reasonsOfNodes(facts: Facts, pod: Pod, verdict: string): Next[] {
    const named: Next[] = [];
    if (/taint|unschedulable/.test(verdict)) {
        const columns = "custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].key,CORDONED:.spec.unschedulable";
        named.push({
            command: "kubectl",
            words: ["get", "nodes", "-o", columns],
            why: "taints; tolerate or remove them",
        });
    }
    if (/node\.kubernetes\.io\/(not-ready|unreachable|network-unavailable|\w+-pressure)/.test(verdict)) {
        const sick = facts.snapshot.nodes.filter((node) => nodeCondition(node)?.status !== "True");
        named.push(
            ...sick.map(({ metadata }) => ({
                command: "explain",
                words: [`node/${metadata.name}`],
                why: "why it isn't Ready",
            })),
        );
    }
    if (/Insufficient|Too many pods/.test(verdict)) {
        named.push({
            command: "kubectl",
            words: ["describe", "nodes"],
            why: "what each node has, and what is requested of it",
        });
    }
    if (/affinity|selector|topology/.test(verdict)) {
        named.push({
            command: "kubectl",
            words: ["get", "nodes", "--show-labels"],
            why: "labels that the pod could ask for",
        });
    }
    return named.length > 0 ? named : [describe(pod)];
}

export function taken(facts: Facts, pod: Pod): Finding {
    const { nodeName = "" } = pod.spec;
    const { phase = "", reason, message = "", startTime, containerStatuses = [] } = pod.status;
    const machine = machineOf(facts, nodeName);
    const kubelet = nodePart(facts, nodeName, "kubelet");
    const ready = nodeCondition(facts.snapshot.nodes.find(({ metadata }) => metadata.name === nodeName));
    const node = ready === undefined ? [] : [`node ${nodeName}: Ready ${ready.status}, ${ready.reason ?? ""}`];
    if (machine?.problem !== undefined) {
        const summary = `The machine of ${nodeName} doesn't answer, so nobody acts on the pod.`;
        return failed([...kubelet.evidence, ...node], {
            ...notRunning("machine", kubelet, summary),
            next: [...kubelet.next, { command: "repair", words: [nodeName], why: "starts a machine that is stopped" }],
        });
    }
    if (
        phase === "Failed" &&
        reason !== undefined &&
        containerStatuses.every(({ state }) => state?.running === undefined)
    ) {
        return failed([`phase ${phase}, reason ${reason}: ${message}`], {
            responsible: "kubelet",
            nodes: [nodeName],
            summary: `The kubelet of ${nodeName} refused or ended the pod (${reason}): ${message}`,
            said: kubelet.said,
            next: [{ command: "explain", words: [`node/${nodeName}`], why: "the node's state" }, describe(pod)],
        });
    }
    if (!kubelet.runs) {
        const summary =
            startTime === undefined
                ? `The kubelet of ${nodeName} should start the pod, and doesn't run.`
                : `The kubelet of ${nodeName} has started the pod, and doesn't run any more: what the API says of it is old.`;
        return failed([...kubelet.evidence, ...node], notRunning("kubelet", kubelet, summary));
    }
    if (startTime === undefined) {
        return failed([...kubelet.evidence, ...node, "no status.startTime: the kubelet hasn't accepted it"], {
            ...notRunning("kubelet", kubelet, `The kubelet of ${nodeName} runs and hasn't taken the pod.`),
        });
    }
    return done(`accepted ${startTime}; ${kubelet.evidence[0] ?? ""}`);
}

/** Of a pod that is deleted; undefined of any other. */
export function ending(facts: Facts, pod: Pod): Finding | undefined {
    const { deletionTimestamp, finalizers = [] } = pod.metadata;
    if (deletionTimestamp === undefined) {
        return undefined;
    }
    const fault: Pick<Fault, "said" | "nodes"> = { said: [], nodes: [pod.spec.nodeName ?? ""] };
    return failed(
        [
            `deletion asked for ${deletionTimestamp}${finalizers.length === 0 ? "" : `, finalizers ${finalizers.join(", ")}`}`,
        ],
        finalizers.length > 0
            ? {
                  ...fault,
                  responsible: "author",
                  summary: `The pod is being deleted, and stays until whoever set its finalizers removes them: ${finalizers.join(", ")}.`,
                  next: [describe(pod)],
              }
            : {
                  ...fault,
                  responsible: "kubelet",
                  said: nodePart(facts, pod.spec.nodeName ?? "", "kubelet").said,
                  summary: "The pod is being deleted: the kubelet ends its containers, then the API forgets it.",
                  next: [describe(pod)],
              },
    );
}

export function describe({ metadata }: Pod): Next {
    return {
        command: "kubectl",
        words: ["-n", metadata.namespace ?? "default", "describe", "pod", metadata.name],
        why: "the pod with its events",
    };
}
