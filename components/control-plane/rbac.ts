import { ADMIN_GROUP } from "../pki/pki";
import { KUBE_PROXY_GROUP, kubeProxyUser } from "../pki/requests";
import { hasKubeProxy } from "../cluster-spec/bring-up";
import type { ClusterSpec } from "../cluster-spec/types";
import { knownNodesPolicy } from "../node-certificates/known-nodes";
import { nodeCertificateRights } from "../node-certificates/rights";
import type { Manifest } from "./kubectl-step";
import { binding } from "./role-binding";

/** Rights that the API server doesn't make for itself, and their limits; https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export function bootstrapRoleBindings(
    spec: Pick<ClusterSpec, "nodeCertificates" | "nodes" | "serviceProxy" | "steps">,
): Manifest[] {
    const proxies = spec.nodes.filter(({ role }) => hasKubeProxy(spec, role));
    return [
        // The API server as a client of the kubelets: logs, exec, port-forward.
        binding("kubelab:kube-apiserver-to-kubelet", "system:kubelet-api-admin", [
            { kind: "User", name: "kube-apiserver-kubelet-client" },
        ]),
        binding(ADMIN_GROUP, "cluster-admin", [{ kind: "Group", name: ADMIN_GROUP }]),
        // A node that leaves is no longer among them, whatever its certificate says.
        binding(
            KUBE_PROXY_GROUP,
            "system:node-proxier",
            proxies.map(({ name }) => ({ kind: "User", name: kubeProxyUser(name) })),
        ),
        ...(spec.nodeCertificates === "bootstrap" ? nodeCertificateRights() : []),
        ...knownNodesPolicy(),
    ];
}
