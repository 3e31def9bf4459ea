import { stringify } from "yaml";
import { KUBE_PROXY_GROUP } from "../pki/requests";
import { flag, type Flag } from "../steps/process";

/** Below /var/log; its own, for the API server's user alone. */
export const AUDIT_DIRECTORY = "kubernetes/kube-apiserver";
/** On each control plane. Lines of JSON: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export const AUDIT_LOG = `/var/log/${AUDIT_DIRECTORY}/audit.log`;

const core = (...resources: string[]): object => ({ group: "", resources });

/**
 * What is written down of a request; the first rule that fits counts. Bodies are of roles and their bindings only: those
 * of all others may hold what is secret, in a pod's environment say.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
export function auditPolicy(): string {
    return stringify({
        apiVersion: "audit.k8s.io/v1",
        kind: "Policy",
        omitStages: ["RequestReceived"],
        rules: [
            { level: "Metadata", resources: [core("secrets", "serviceaccounts/token")] },
            {
                level: "None",
                resources: [core("events"), { group: "events.k8s.io" }, { group: "coordination.k8s.io" }],
            },
            { level: "None", nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/api*"] },
            // What the cluster's own parts read all the time.
            {
                level: "None",
                userGroups: ["system:nodes", "system:serviceaccounts:kube-system", KUBE_PROXY_GROUP],
                verbs: ["get", "list", "watch"],
            },
            {
                level: "None",
                users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"],
                verbs: ["get", "list", "watch"],
            },
            {
                level: "Request",
                verbs: ["create", "update", "patch", "delete"],
                resources: [{ group: "rbac.authorization.k8s.io" }],
            },
            { level: "Metadata" },
        ],
    });
}

/** @param policy path of the file with the policy. */
export function auditFlags(policy: string): Flag[] {
    return [
        flag("audit-policy-file", policy, "who did what, and no secret's content"),
        flag("audit-log-path", AUDIT_LOG),
        flag("audit-log-maxage", 30),
        flag("audit-log-maxbackup", 10),
        flag("audit-log-maxsize", 100, "MB; at most ten files of that size, of thirty days"),
    ];
}
