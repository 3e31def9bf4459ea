import { distance } from "fastest-levenshtein";
import type { Labels, Pod, Service } from "../inspect/snapshot";
import { done, failed, type Finding } from "./explanation";
import type { Facts } from "./facts";

/** Whether the selector means any pod. */
export function selected(facts: Facts, service: Service, pods: readonly Pod[]): Finding {
    const { namespace = "" } = service.metadata;
    const selector = render(service.spec.selector ?? {});
    if (pods.length > 0) {
        return done(`${selector}: ${pods.map(({ metadata }) => metadata.name).join(", ")}`);
    }
    const here = facts.snapshot.pods.filter(({ metadata }) => metadata.namespace === namespace);
    const owner = facts.snapshot.workloads.find(
        ({ kind, metadata, spec }) =>
            kind !== "ReplicaSet" &&
            metadata.namespace === namespace &&
            Object.entries(service.spec.selector ?? {}).every(
                ([key, value]) => spec.template.metadata?.labels?.[key] === value,
            ),
    );
    const keys = Object.keys(service.spec.selector ?? {});
    const ofKeys = (labels: Labels): Labels =>
        Object.fromEntries(Object.entries(labels).filter(([key]) => keys.includes(key)));
    const near = [...new Set(here.map(({ metadata }) => render(ofKeys(metadata.labels ?? {}))))]
        .filter((labels) => labels !== "")
        .sort((a, b) => distance(selector, a) - distance(selector, b))
        .slice(0, 3);
    const option = ["-n", namespace];
    return failed(
        [`no pod of ${namespace} has ${selector}`, ...near.map((labels) => `there are pods with ${labels}`)],
        {
            responsible: owner === undefined ? "author" : "controller manager",
            nodes: [],
            summary:
                owner === undefined
                    ? `The service selects ${selector}, and no pod has these labels.`
                    : `The service selects the pods of ${owner.kind} ${owner.metadata.name}, which has none.`,
            said: [],
            next: [
                ...(owner === undefined
                    ? []
                    : [
                          {
                              command: "explain",
                              words: [...option, `${owner.kind.toLowerCase()}/${owner.metadata.name}`],
                              why: "why it has no pods",
                          },
                      ]),
                {
                    command: "kubectl",
                    words: [...option, "get", "pods", "--show-labels"],
                    why: "labels that pods have",
                },
                {
                    command: "kubectl",
                    words: [...option, "describe", `service/${service.metadata.name}`],
                    why: "the service's selector",
                },
            ],
        },
    );
}

function render(labels: Labels): string {
    return Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}
