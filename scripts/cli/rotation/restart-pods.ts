import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";

const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;
const TIMEOUT_SECONDS = 600;

interface KubernetesObject {
    readonly kind: string;
    readonly metadata: {
        readonly namespace: string;
        readonly name: string;
        readonly ownerReferences?: readonly { readonly kind: string }[];
    };
}

/**
 * Restarts the pods of all Deployments, StatefulSets and DaemonSets as their own rules say, so that a service with two replicas goes on.
 *
 * @returns the other pods, `namespace/name`, that nothing would start again.
 * @throws UserError with the first one whose new pods aren't ready in time.
 */
export async function restartPods(cluster: ClusterAccess, progress: (line: string) => void): Promise<string[]> {
    const workloads = await list(cluster, KINDS.join(",").toLowerCase());
    for (const { kind, metadata } of workloads) {
        await cluster.kubectl([
            "rollout",
            "restart",
            "-n",
            metadata.namespace,
            `${kind.toLowerCase()}/${metadata.name}`,
        ]);
    }
    for (const { kind, metadata } of workloads) {
        const which = `${kind.toLowerCase()}/${metadata.name}`;
        progress(`restarting the pods of ${metadata.namespace} ${which}`);
        const { code, stdout, stderr } = await cluster.tryKubectl(
            ["rollout", "status", "-n", metadata.namespace, which, `--timeout=${TIMEOUT_SECONDS}s`],
            undefined,
            TIMEOUT_SECONDS + 10,
        );
        if (code !== 0) {
            const said = (stderr.trim() || stdout.trim()).split("\n").at(-1);
            throw new UserError(`${metadata.namespace} ${which}: its new pods aren't ready: ${said}`);
        }
    }
    const pods = await list(cluster, "pods");
    return pods
        .filter(({ metadata }) =>
            (metadata.ownerReferences ?? []).every(
                ({ kind }) => !["ReplicaSet", "StatefulSet", "DaemonSet", "Node"].includes(kind),
            ),
        )
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

async function list(cluster: ClusterAccess, kinds: string): Promise<readonly KubernetesObject[]> {
    const text = await cluster.kubectl(["get", kinds, "-A", "-o", "json"]);
    return (JSON.parse(text) as { readonly items: readonly KubernetesObject[] }).items;
}
