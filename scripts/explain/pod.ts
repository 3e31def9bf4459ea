import { condition, type Pod } from "../inspect/snapshot";
import { type Explanation, follow, type Look } from "./explanation";
import type { Facts } from "./facts";
import { images, ready, started } from "./pod-containers";
import { bound, ending, made, taken } from "./pod-placement";
import { address, sandbox, volumes } from "./pod-sandbox";
import { reached } from "./reach";
import { resourceName } from "./resource";

/** The stages of a pod's life, in their order. */
export function podStages(facts: Facts, pod: Pod): readonly Look[] {
    return [
        { stage: "admitted", responsible: "API server", find: () => made(pod) },
        { stage: "bound to a node", responsible: "scheduler", find: () => bound(facts, pod) },
        { stage: "taken by its kubelet", responsible: "kubelet", find: () => taken(facts, pod) },
        ...(pod.metadata.deletionTimestamp === undefined
            ? []
            : [{ stage: "ended", responsible: "kubelet", find: () => ending(facts, pod) } as const]),
        { stage: "volumes and token", responsible: "kubelet", find: () => volumes(facts, pod) },
        { stage: "sandbox", responsible: "containerd", find: () => sandbox(facts, pod) },
        { stage: "address", responsible: "CNI plugin", find: () => address(facts, pod) },
        { stage: "images", responsible: "containerd", find: () => images(facts, pod) },
        { stage: "containers started", responsible: "containerd", find: () => started(facts, pod) },
        { stage: "ready", responsible: "container", find: () => ready(facts, pod) },
        { stage: "reached from every node", responsible: "pod network", find: () => reached(facts, pod) },
    ];
}

export function explainPod(facts: Facts, pod: Pod): Explanation {
    const followed = follow(podStages(facts, pod));
    const { phase = "", podIP } = pod.status;
    const at = pod.spec.nodeName === undefined ? "" : ` on ${pod.spec.nodeName}`;
    const where = podIP === undefined ? at : `${at}, at ${podIP}`;
    return {
        resource: resourceName(pod),
        namespace: pod.metadata.namespace ?? "",
        summary:
            followed.fault?.summary ??
            (phase === "Succeeded" ? `It has ended well${at}.` : `It runs and is ready${where}.`),
        ...followed,
    };
}

export function isPodReady({ status }: Pod): boolean {
    return condition(status.conditions, "Ready")?.status === "True";
}
