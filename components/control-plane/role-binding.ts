const RBAC = "rbac.authorization.k8s.io";

/** Gives users and groups a cluster role in the whole cluster; https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export function binding(
    name: string,
    role: string,
    subjects: readonly { readonly kind: "User" | "Group"; readonly name: string }[],
) {
    return {
        apiVersion: `${RBAC}/v1`,
        kind: "ClusterRoleBinding",
        metadata: { name },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
        subjects: subjects.map((subject) => ({ apiGroup: RBAC, ...subject })),
    } as const;
}
