import type { Next, Responsible } from "./explanation";

/** Why the API server refused a pod that a controller wanted. */
export interface Refusal {
    readonly responsible: Responsible;
    readonly summary: string;
    readonly next: readonly Next[];
}

/**
 * Reads what a controller reports as FailedCreate.
 *
 * @param namespace of the pods.
 */
export function refusalOf(message: string, namespace: string): Refusal {
    const get = (kind: string, why: string): Next => ({
        command: "kubectl",
        words: ["-n", namespace, "get", kind],
        why,
    });
    const describe = (kind: string, why: string): Next => ({
        command: "kubectl",
        words: ["-n", namespace, "describe", kind],
        why,
    });
    const [, quota] = /(?:exceeded|failed) quota: ([^,:\s]+)/.exec(message) ?? [];
    const [, account] =
        /serviceaccount "([^"]+)" not found|No API token found for service account "?([^",\s]+)/i
            .exec(message)
            ?.filter(Boolean) ?? [];
    const [, level] = /violates PodSecurity "([^"]+)"/.exec(message) ?? [];
    const [, webhook] = /webhook "([^"]+)"/.exec(message) ?? [];
    const [, policy] = /ValidatingAdmissionPolicy '([^']+)'/.exec(message) ?? [];
    if (quota !== undefined) {
        return {
            responsible: "admission",
            summary: `The quota ${quota} of ${namespace} allows no more pods like this`,
            next: [describe(`quota/${quota}`, "what it allows, and what is used")],
        };
    }
    if (account !== undefined) {
        const byController = account === "default";
        return {
            responsible: byController ? "controller manager" : "author",
            summary: byController
                ? `No token: the ServiceAccount default of ${namespace}, which the controller manager makes in every namespace, isn't there`
                : `The pods name the ServiceAccount ${account}, which ${namespace} doesn't have`,
            next: [
                get("serviceaccounts", "those that there are"),
                ...(byController
                    ? [
                          {
                              command: "kubectl",
                              words: ["create", "serviceaccount", account, "-n", namespace],
                              why: "by hand, where no controller does",
                          },
                      ]
                    : []),
            ],
        };
    }
    if (level !== undefined) {
        return {
            responsible: "admission",
            summary: `The Pod Security level ${level} of ${namespace} refuses the pods`,
            next: [
                {
                    command: "kubectl",
                    words: ["get", "namespace", namespace, "--show-labels"],
                    why: "pod-security.kubernetes.io/enforce, or the cluster's kubelab:podSecurity",
                },
            ],
        };
    }
    if (webhook !== undefined) {
        const dead = /failed calling webhook/.test(message);
        return {
            responsible: "admission",
            summary: dead
                ? `The admission webhook ${webhook} can't be asked`
                : `The admission webhook ${webhook} refuses the pods`,
            next: [
                {
                    command: "kubectl",
                    words: ["get", "validatingwebhookconfigurations,mutatingwebhookconfigurations"],
                    why: "who is asked; each names its service",
                },
            ],
        };
    }
    if (policy !== undefined) {
        return {
            responsible: "admission",
            summary: `The ValidatingAdmissionPolicy ${policy} refuses the pods`,
            next: [
                {
                    command: "kubectl",
                    words: ["get", "validatingadmissionpolicy", policy, "-o", "yaml"],
                    why: "its rules",
                },
            ],
        };
    }
    if (/(maximum|minimum) \S+ (usage|request)/.test(message)) {
        return {
            responsible: "admission",
            summary: `A LimitRange of ${namespace} refuses the pods`,
            next: [describe("limitranges", "what it allows")],
        };
    }
    return {
        responsible: "API server",
        summary: "The API server refuses the pods",
        next: [get("events", "what else is reported")],
    };
}
