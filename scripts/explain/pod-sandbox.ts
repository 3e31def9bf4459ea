import { type Report, renderReport } from "../inspect/events";
import { condition, type Pod } from "../inspect/snapshot";
import { networkAgents } from "./agents";
import { ownAddress } from "./addresses";
import { unreadFault } from "./cni";
import { done, failed, type Finding, type Next, unknown } from "./explanation";
import { type Facts, lastReport, machineOf } from "./facts";
import { nodeCondition } from "./node-conditions";
import { controlPlanePart, nodePart, notRunning } from "./parts";
import { describe } from "./pod-placement";

/** Whether the kubelet has the sandbox and the volumes. KEP-3085 */
function isPrepared({ status }: Pod): boolean {
    const started = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].some(
        ({ restartCount, state }) =>
            restartCount > 0 || state?.running !== undefined || state?.terminated !== undefined,
    );
    return started || condition(status.conditions, "PodReadyToStartContainers")?.status === "True";
}

/** What the API server calls the volume that has a pod's token. */
const TOKEN = "kube-api-access-";

export function volumes(facts: Facts, pod: Pod): Finding {
    const node = pod.spec.nodeName ?? "";
    const report = lastReport(facts, pod, "FailedMount", "FailedAttachVolume", "FailedMapVolume");
    const names = (pod.spec.volumes ?? []).map(({ name }) => (name.startsWith(TOKEN) ? `${name} (its token)` : name));
    if (isPrepared(pod)) {
        return done(names.length === 0 ? "it has none" : names.join(", "));
    }
    if (report === undefined) {
        return done("nothing reported that fails");
    }
    const kubelet = nodePart(facts, node, "kubelet");
    const { message } = report;
    const [, secret] = /(?:secret|secrets) "([^"]+)" not found/.exec(message) ?? [];
    const [, configMap] = /configmap "([^"]+)" not found/.exec(message) ?? [];
    const [, account] = /serviceaccounts? "([^"]+)" not found/.exec(message) ?? [];
    const base = { nodes: [node], said: [{ who: `kubelet on ${node}`, lines: [renderReport(report)] }] };
    const get = (kind: string): Next => ({
        command: "kubectl",
        words: ["-n", pod.metadata.namespace ?? "", "get", kind],
        why: "those that there are",
    });
    if (account !== undefined || configMap === "kube-root-ca.crt") {
        const manager = controlPlanePart(facts, "controller manager");
        const what =
            account === undefined
                ? "the ConfigMap kube-root-ca.crt, which the pod's token comes with"
                : `the ServiceAccount ${account}, whose token the pod gets`;
        return failed([renderReport(report), ...manager.evidence], {
            ...base,
            responsible: account === undefined || account === "default" ? "controller manager" : "author",
            summary: `No token: the namespace has no more of ${what}.`,
            said: [...base.said, ...manager.said],
            next: [get(account === undefined ? "configmaps" : "serviceaccounts"), ...manager.next],
        });
    }
    if (secret !== undefined || configMap !== undefined) {
        const kind = secret === undefined ? "configmap" : "secret";
        return failed([renderReport(report)], {
            ...base,
            nodes: [],
            responsible: "author",
            summary: `The kubelet waits for the ${kind} ${secret ?? configMap}, which the pod names and which isn't there.`,
            next: [get(`${kind}s`)],
        });
    }
    return failed([renderReport(report), ...kubelet.evidence], {
        ...base,
        responsible: "kubelet",
        summary: `The kubelet can't mount the pod's volumes: ${message}`,
        said: [...base.said, ...kubelet.said],
        next: [describe(pod), ...kubelet.next],
    });
}

/** Reports that are about the pod network, and no other trouble of the runtime's. */
const ABOUT_NETWORK = /\bcni\b|network plugin|NetworkReady|failed to setup network|network namespace/i;

function sandboxReport(facts: Facts, pod: Pod): Report | undefined {
    return lastReport(facts, pod, "FailedCreatePodSandBox", "NetworkNotReady", "FailedPodSandBoxStatus");
}

export function sandbox(facts: Facts, pod: Pod): Finding {
    const node = pod.spec.nodeName ?? "";
    const containerd = nodePart(facts, node, "containerd");
    if (!containerd.runs) {
        const ready = nodeCondition(facts.snapshot.nodes.find(({ metadata }) => metadata.name === node));
        const lines = ready === undefined ? [] : [`node ${node}: Ready ${ready.status}: ${ready.message ?? ""}`];
        const summary = `containerd of ${node} should run the pod's containers, and doesn't run itself.`;
        return failed([...containerd.evidence, ...lines], notRunning("containerd", containerd, summary));
    }
    if (isPrepared(pod)) {
        return done(containerd.evidence[0] ?? "");
    }
    const report = sandboxReport(facts, pod);
    if (report === undefined) {
        return unknown("no report of a sandbox yet", ...containerd.evidence);
    }
    if (ABOUT_NETWORK.test(report.message)) {
        return unknown(`containerd waits for the pod network: ${renderReport(report)}`);
    }
    return failed([renderReport(report), ...containerd.evidence], {
        responsible: "containerd",
        nodes: [node],
        summary: `containerd can't make the pod's sandbox: ${report.message}`,
        said: containerd.said,
        next: [...containerd.next, describe(pod)],
    });
}

export function address(facts: Facts, pod: Pod): Finding | undefined {
    const node = pod.spec.nodeName ?? "";
    const { podIP } = pod.status;
    if (pod.spec.hostNetwork === true) {
        return undefined;
    }
    if (podIP !== undefined) {
        return ownAddress(facts, pod, podIP);
    }
    const report = sandboxReport(facts, pod);
    const files = Object.keys(machineOf(facts, node)?.cni ?? {});
    const containerd = nodePart(facts, node, "containerd");
    const kubelet = nodePart(facts, node, "kubelet");
    const lines = report === undefined ? [] : [renderReport(report)];
    const agents = networkAgents(facts, node);
    if (files.length === 0) {
        return failed([`no file in /etc/cni/net.d on ${node}`, ...lines, ...agents.evidence], {
            responsible: "CNI plugin",
            nodes: [node],
            summary: `${node} has no CNI configuration: containerd doesn't know which plugin gives the pod an address.`,
            said: [...kubelet.said, ...containerd.said, ...agents.said],
            next: [
                {
                    command: "ssh",
                    words: [node, "--", "ls -l /etc/cni/net.d"],
                    why: "nothing; containerd reads a file that is written there",
                },
                ...agents.next,
                { command: "repair", words: [node], why: "writes the file again where `up` had written it" },
            ],
        });
    }
    if (report === undefined) {
        return unknown(`no address yet; ${files.join(", ")} on ${node}`);
    }
    const unread = unreadFault(machineOf(facts, node), report.message);
    if (unread !== undefined) {
        return failed([...lines, `${files.join(", ")} on ${node}`], {
            ...unread,
            said: [...kubelet.said, ...containerd.said],
        });
    }
    return failed([...lines, `${files.join(", ")} on ${node}`, ...agents.evidence], {
        responsible: "CNI plugin",
        nodes: [node],
        summary: `The CNI plugin gave the pod no address: ${report.message}`,
        said: [...containerd.said, ...agents.said],
        next: [
            { command: "ssh", words: [node, "--", `cat ${files[0] ?? ""}`], why: "the configuration" },
            {
                command: "ssh",
                words: [node, "--", "ls /opt/cni/bin /var/lib/cni/networks/*"],
                why: "plugins, and addresses taken",
            },
            ...agents.next,
        ],
    });
}
