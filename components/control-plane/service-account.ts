import type { Manifest } from "./kubectl-step";

/**
 * The ServiceAccount that every pod of the namespace `default` has: a controller makes it, so where there is no controller manager it
 * has to be made by hand. It has no token for pods to use: without controllers there is no certificate authority for them either.
 * https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
 */
export function defaultServiceAccount(): Manifest {
    return {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default", namespace: "default" },
        automountServiceAccountToken: false,
    };
}
