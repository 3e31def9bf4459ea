import { binding } from "../control-plane/role-binding";
import { KNOWN_NODES } from "./known-nodes";

/** Who may do what with the certificate requests of kubelets; https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/ */

const RBAC = "rbac.authorization.k8s.io";
const CERTIFICATES = "certificates.k8s.io";
/** Of the approver's client certificate. */
export const APPROVER_USER = "kubelab:node-approver";
/** Of every token that kubelab makes. */
export const JOINING_GROUP = "system:bootstrappers:kubelab";

const IN_KUBE_SYSTEM = { name: APPROVER_USER, namespace: "kube-system" };

/** Roles and bindings; the controller manager's own approver gets none, since it ties no token to a node's name. */
export function nodeCertificateRights() {
    return [
        {
            apiVersion: `${RBAC}/v1`,
            kind: "ClusterRole",
            metadata: { name: APPROVER_USER },
            rules: [
                {
                    apiGroups: [CERTIFICATES],
                    resources: ["certificatesigningrequests"],
                    verbs: ["get", "list", "watch"],
                },
                {
                    apiGroups: [CERTIFICATES],
                    resources: ["certificatesigningrequests/approval"],
                    verbs: ["patch"],
                },
                {
                    apiGroups: [CERTIFICATES],
                    resources: ["signers"],
                    resourceNames: ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"],
                    verbs: ["approve"],
                },
            ],
        },
        binding(APPROVER_USER, APPROVER_USER, [{ kind: "User", name: APPROVER_USER }]),
        // Which nodes there are, and which tokens were used.
        {
            apiVersion: `${RBAC}/v1`,
            kind: "Role",
            metadata: IN_KUBE_SYSTEM,
            rules: [
                { apiGroups: [""], resources: ["configmaps"], resourceNames: [KNOWN_NODES], verbs: ["get"] },
                { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create", "get"] },
            ],
        },
        {
            apiVersion: `${RBAC}/v1`,
            kind: "RoleBinding",
            metadata: IN_KUBE_SYSTEM,
            roleRef: { apiGroup: RBAC, kind: "Role", name: APPROVER_USER },
            subjects: [{ apiGroup: RBAC, kind: "User", name: APPROVER_USER }],
        },
        // A token may ask for certificates and see what becomes of that, and nothing else.
        binding("kubelab:joining-nodes", "system:node-bootstrapper", [{ kind: "Group", name: JOINING_GROUP }]),
    ] as const;
}
