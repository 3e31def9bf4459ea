import { renderReport } from "../inspect/events";
import { condition, type Container, type ContainerStatus, type Pod, type Probe } from "../inspect/snapshot";
import { done, failed, type Fault, type Finding, type Next, type Said, unknown } from "./explanation";
import { type Facts, lastReport, reports } from "./facts";
import { nodePart } from "./parts";
import { describe } from "./pod-placement";

const IMAGE_REASONS = [
    ...["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"],
    ...["RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"],
];

interface Named {
    readonly container: Container;
    readonly status: ContainerStatus | undefined;
    readonly init: boolean;
}

function containersOf({ spec, status }: Pod): Named[] {
    const { initContainerStatuses = [], containerStatuses = [] } = status;
    const named = (list: readonly Container[], all: readonly ContainerStatus[], init: boolean): Named[] =>
        list.map((container) => ({ container, status: all.find(({ name }) => name === container.name), init }));
    return [
        ...named(spec.initContainers ?? [], initContainerStatuses, true),
        ...named(spec.containers, containerStatuses, false),
    ];
}

const label = ({ container, init }: Named): string => `${init ? "init container" : "container"} ${container.name}`;

export function images(facts: Facts, pod: Pod): Finding {
    const node = pod.spec.nodeName ?? "";
    const all = containersOf(pod);
    const missing = all.find(({ status }) => IMAGE_REASONS.includes(status?.state?.waiting?.reason ?? ""));
    if (missing === undefined) {
        const pulled = lastReport(facts, pod, "Pulled");
        const names = all.map(({ container }) => container.image).join(", ");
        return done(pulled === undefined ? names : renderReport(pulled));
    }
    const { reason = "", message = "" } = missing.status?.state?.waiting ?? {};
    const report = reports(facts, pod)
        .filter(({ reason: of, message: text }) => /Failed|ErrImageNeverPull/.test(of) && !/^Error: /.test(text))
        .at(-1);
    // The back-off's own message doesn't say why; the report of the pull before does.
    const why = report !== undefined && /back-off/i.test(message) ? report.message : message;
    const containerd = nodePart(facts, node, "containerd");
    const { image } = missing.container;
    return failed([`${label(missing)}: ${reason}`, ...(report === undefined ? [] : [renderReport(report)])], {
        responsible: reason === "InvalidImageName" ? "author" : "containerd",
        nodes: reason === "InvalidImageName" ? [] : [node],
        summary: `containerd of ${node} doesn't get the image ${image}: ${why}`,
        said: containerd.said,
        next: [
            { command: "ssh", words: [node, "--", `ctr -n k8s.io images ls -q`], why: "images that the node has" },
            {
                command: "ssh",
                words: [node, "--", "ls /etc/containerd/certs.d"],
                why: "registries with a mirror of their own",
            },
            describe(pod),
        ],
    });
}

export function started(facts: Facts, pod: Pod): Finding {
    const all = containersOf(pod);
    for (const each of all) {
        const finding = startOf(facts, pod, each);
        if (finding !== undefined) {
            return finding;
        }
    }
    const restarts = all.reduce((sum, { status }) => sum + (status?.restartCount ?? 0), 0);
    const running = all.flatMap(({ container, status }) =>
        status?.state?.running === undefined
            ? []
            : [`${container.name} runs since ${status.state.running.startedAt ?? "?"}`],
    );
    return done(
        ...(running.length > 0 ? running : ["all have ended with 0"]),
        ...(restarts > 0 ? [`${restarts} restarts`] : []),
    );
}

/** What keeps a container from running; undefined where nothing does. */
function startOf(facts: Facts, pod: Pod, named: Named): Finding | undefined {
    const { container, status, init } = named;
    const waiting = status?.state?.waiting;
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    const node = pod.spec.nodeName ?? "";
    if (waiting === undefined) {
        if (init && status?.state?.running !== undefined && container.restartPolicy !== "Always") {
            return failed([`${label(named)} runs since ${status.state.running.startedAt ?? "?"}`], {
                ...faultOf(facts, pod, named),
                summary: `The ${label(named)} hasn't ended; the containers after it wait for that.`,
            });
        }
        const broken = status?.state?.terminated !== undefined && status.state.terminated.exitCode !== 0;
        return broken ? crashed(facts, pod, named) : undefined;
    }
    const { reason = "", message = "" } = waiting;
    if (reason === "CrashLoopBackOff" || (reason === "" && ended !== undefined)) {
        return crashed(facts, pod, named);
    }
    if (reason === "CreateContainerConfigError") {
        return failed([`${label(named)}: ${reason}: ${message}`], {
            responsible: "author",
            nodes: [],
            summary: `The kubelet can't configure the ${label(named)}: ${message}.`,
            said: reported(facts, pod),
            next: [
                {
                    command: "kubectl",
                    words: ["-n", pod.metadata.namespace ?? "", "get", "secrets,configmaps"],
                    why: "those that there are",
                },
                describe(pod),
            ],
        });
    }
    if (["CreateContainerError", "RunContainerError", "StartError", "PostStartHookError"].includes(reason)) {
        const containerd = nodePart(facts, node, "containerd");
        const wrong = /exec: .*(no such file|not found|permission denied|not a directory)/.test(message);
        return failed([`${label(named)}: ${reason}: ${message}`], {
            ...(wrong
                ? ({ responsible: "author", nodes: [] } as const)
                : ({ responsible: "containerd", nodes: [node] } as const)),
            summary: wrong
                ? `The command of the ${label(named)} can't be executed in its image: ${message}`
                : `containerd can't start the ${label(named)}: ${message}`,
            said: [...reported(facts, pod), ...containerd.said],
            next: [describe(pod), ...containerd.next],
        });
    }
    if (reason === "PodInitializing") {
        return undefined;
    }
    return unknown(`${label(named)}: ${reason || "not started yet"}${message === "" ? "" : `: ${message}`}`);
}

/** https://tldp.org/LDP/abs/html/exitcodes.html; above 128, the signal. */
const EXIT_CODES: Readonly<Record<number, string>> = {
    0: "it ended by itself, without an error: a container of such a pod has to go on",
    126: "its command can't be executed",
    127: "its command isn't in the image",
    137: "killed (SIGKILL)",
    139: "segmentation fault (SIGSEGV)",
    143: "told to end (SIGTERM)",
};

function crashed(facts: Facts, pod: Pod, named: Named): Finding {
    const { status } = named;
    const ended = status?.state?.terminated ?? status?.lastState?.terminated;
    const { exitCode = 0, reason = "", message } = ended ?? {};
    const known =
        reason === "OOMKilled"
            ? "the kernel killed it: it used more memory than its limit"
            : reason === "StartError" || reason === "ContainerCannotRun"
              ? (message ?? "it can't be started")
              : EXIT_CODES[exitCode];
    const liveness = lastReport(facts, pod, "Killing");
    const probe =
        liveness !== undefined && /failed (liveness|startup) probe/.test(liveness.message)
            ? [renderReport(liveness)]
            : [];
    const why = probe.length > 0 ? "the kubelet ends it, since its probe fails" : known;
    const times = status?.restartCount ?? 0;
    const again = times > 0 ? `; restarted ${times} times` : "";
    return failed([`${label(named)}: ended with ${exitCode}${reason === "" ? "" : ` (${reason})`}${again}`, ...probe], {
        ...faultOf(facts, pod, named),
        responsible: reason === "StartError" ? "containerd" : "container",
        summary: `The ${label(named)} ends with exit code ${exitCode}${why === undefined ? "" : `: ${why}`}.`,
    });
}

function faultOf(facts: Facts, pod: Pod, { container, status }: Named): Omit<Fault, "summary"> {
    const { namespace = "", name } = pod.metadata;
    const lines = facts.logs[`${namespace}/${name}/${container.name}`] ?? [];
    const before = (status?.restartCount ?? 0) > 0 ? ["--previous"] : [];
    return {
        responsible: "container",
        nodes: [pod.spec.nodeName ?? ""],
        said: [...(lines.length === 0 ? [] : [{ who: `container ${container.name}`, lines }]), ...reported(facts, pod)],
        next: [
            {
                command: "kubectl",
                words: ["-n", namespace, "logs", name, "-c", container.name, ...before],
                why: "what it printed",
            },
            describe(pod),
        ],
    };
}

/** The kubelet's last warning. */
function reported(facts: Facts, pod: Pod): Said[] {
    const report = lastReport(facts, pod, "Unhealthy", "BackOff", "Failed", "Killing");
    return report === undefined
        ? []
        : [{ who: `kubelet on ${pod.spec.nodeName ?? "?"}`, lines: [renderReport(report)] }];
}

export function ready(facts: Facts, pod: Pod): Finding {
    const { status, spec } = pod;
    const is = condition(status.conditions, "Ready");
    if (status.phase === "Succeeded") {
        return done("phase Succeeded: its containers have ended, as they should");
    }
    if (is?.status === "True") {
        return done(`Ready since ${is.lastTransitionTime ?? "?"}`);
    }
    const late = containersOf(pod).find(({ status: each, init }) => !init && each?.ready !== true);
    const line = `Ready ${is?.status ?? "?"}, ${is?.reason ?? ""}: ${is?.message ?? ""}`;
    if (late === undefined) {
        const gates = (spec.readinessGates ?? [])
            .map(({ conditionType }) => conditionType)
            .filter((type) => condition(status.conditions, type)?.status !== "True");
        return failed([line, ...gates.map((gate) => `readiness gate ${gate}: not True`)], {
            responsible: "author",
            nodes: [],
            summary:
                gates.length > 0
                    ? `Nobody has set the pod's readiness gates: ${gates.join(", ")}.`
                    : `The pod isn't Ready: ${is?.message ?? ""}`,
            said: [],
            next: [describe(pod)],
        });
    }
    const report = lastReport(facts, pod, "Unhealthy");
    const starting = late.status?.started === false ? "startup" : "readiness";
    const probe = late.container.readinessProbe;
    return failed([line, ...(report === undefined ? [] : [renderReport(report)])], {
        ...faultOf(facts, pod, late),
        summary: `The ${label(late)} runs, and its ${starting} probe${probe === undefined ? "" : ` (${renderProbe(probe)})`} fails: ${report?.message ?? "the kubelet has not said why"}`,
        next: [...probeNext(pod, probe), ...faultOf(facts, pod, late).next],
    });
}

function renderProbe({ httpGet, tcpSocket, exec, grpc }: Probe): string {
    return httpGet !== undefined
        ? `GET ${httpGet.path ?? "/"} at port ${httpGet.port}`
        : tcpSocket !== undefined
          ? `TCP port ${tcpSocket.port}`
          : exec !== undefined
            ? (exec.command ?? []).join(" ")
            : `gRPC at port ${grpc?.port ?? "?"}`;
}

function probeNext({ status, spec }: Pod, probe: Probe | undefined): Next[] {
    const { httpGet } = probe ?? {};
    if (httpGet === undefined || typeof httpGet.port !== "number" || status.podIP === undefined) {
        return [];
    }
    const url = `http://${status.podIP}:${httpGet.port}${httpGet.path ?? "/"}`;
    return [
        {
            command: "ssh",
            words: [spec.nodeName ?? "", "--", `curl -sSi --max-time 3 ${url}`],
            why: "asks as the kubelet does",
        },
    ];
}
