import { stringify } from "yaml";
import type { ClusterSpec } from "../cluster-spec/types";
import { items } from "../steps/flag-rules";

/** Admission plugins that upstream leaves off, and what each is for. */
const PLUGINS = {
    NodeRestriction: "a kubelet may change its own node and pods only",
    DenyServiceExternalIPs: "no service takes over an address that isn't its own (CVE-2020-8554)",
    EventRateLimit: "nobody fills etcd with events",
} as const;

/** The names of those that aren't disabled by name, which the API server would refuse, and the reasons for them. */
export function ownPlugins(disabled: string): { readonly names: string; readonly why: string } {
    const off = items(disabled);
    const on = Object.entries(PLUGINS).filter(([name]) => !off.includes(name));
    return { names: on.map(([name]) => name).join(","), why: on.map(([, why]) => why).join("; ") };
}

/** Steady rate, and events in a row. A bring-up of ten nodes stays far below. */
const EVENT_LIMITS = [
    { type: "Server", qps: 200, burst: 2000 },
    { type: "Namespace", qps: 100, burst: 1000 },
    { type: "User", qps: 50, burst: 500 },
];

/**
 * What the admission plugins read. Namespaces with labels of their own (`pod-security.kubernetes.io/enforce`) follow those.
 * https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#eventratelimit
 */
export function admissionConfiguration({ podSecurity }: Pick<ClusterSpec, "podSecurity">): string {
    const { enforce, warn } = podSecurity;
    return stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "AdmissionConfiguration",
        plugins: [
            {
                name: "PodSecurity",
                configuration: {
                    apiVersion: "pod-security.admission.config.k8s.io/v1",
                    kind: "PodSecurityConfiguration",
                    defaults: { enforce, warn },
                    // The pod network and kube-proxy's like change their node.
                    exemptions: { namespaces: ["kube-system"] },
                },
            },
            {
                name: "EventRateLimit",
                configuration: {
                    apiVersion: "eventratelimit.admission.k8s.io/v1alpha1",
                    kind: "Configuration",
                    limits: EVENT_LIMITS,
                },
            },
        ],
    });
}
