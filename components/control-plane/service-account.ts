import type { Manifest } from "./kubectl-step";

/**
 * The ServiceAccount of every pod in the namespace `default`. A controller usually makes it; without a controller
 * manager this step does. It has no token for pods to use: without controllers there is no certificate authority for
 * them either. https://kubernetes.io/docs/concepts/security/service-accounts/#default-service-accounts
 */
export function defaultServiceAccount(): Manifest {
    return {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default", namespace: "default" },
        automountServiceAccountToken: false,
    };
}
