import { KUBECTL } from "../control-plane/kubectl-step";
import type { ClusterSpec } from "../cluster-spec/types";
import { quote } from "../steps/script";

/** In kube-system: a key for each node of the cluster, and its address. The statements below write it. */
export const KNOWN_NODES = "known-nodes";
const NAME = "kubelab.known-nodes";
const ADMISSION = "admissionregistration.k8s.io";

/**
 * A certificate is good until it ends, and the Node authorizer lets whoever has a kubelet's make the Node of that name. So what a kubelet
 * writes is refused unless its node is one of the cluster.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
export function knownNodesPolicy() {
    const metadata = { name: NAME };
    const node = "request.userInfo.username.replace('system:node:', '')";
    return [
        {
            apiVersion: `${ADMISSION}/v1`,
            kind: "ValidatingAdmissionPolicy",
            metadata,
            spec: {
                // The ConfigMap is looked up for whoever writes: without it, nobody could, and nobody could make it.
                failurePolicy: "Ignore",
                paramKind: { apiVersion: "v1", kind: "ConfigMap" },
                matchConstraints: {
                    resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"] }],
                },
                matchConditions: [{ name: "kubelet", expression: "'system:nodes' in request.userInfo.groups" }],
                validations: [
                    {
                        expression: `has(params.data) && ${node} in params.data`,
                        messageExpression: `${node} + ' is no node of this cluster'`,
                        reason: "Forbidden",
                    },
                ],
            },
        },
        {
            apiVersion: `${ADMISSION}/v1`,
            kind: "ValidatingAdmissionPolicyBinding",
            metadata,
            spec: {
                policyName: metadata.name,
                paramRef: { name: KNOWN_NODES, namespace: "kube-system", parameterNotFoundAction: "Allow" },
                validationActions: ["Deny"],
            },
        },
    ] as const;
}

/** Statements after which what the node's kubelet writes is let in. */
export function knowNode(spec: ClusterSpec, node: string, address: string): string[] {
    return [`use_api https://127.0.0.1:${spec.api.port}`, `know_node ${KNOWN_NODES} ${node} ${address}`];
}

/** The statement after which it isn't any more. */
export function forgetKnownNode(node: string): string {
    const patch = quote(JSON.stringify({ data: { [node]: null } }));
    return `${KUBECTL} -n kube-system patch configmap ${KNOWN_NODES} --type merge -p ${patch} >/dev/null || true`;
}
