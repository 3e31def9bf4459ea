import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { leaveCheck, removeCheck } from "../steps/script";
import { step, type StepArgs } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";

/** The kubeconfig that steps on a control-plane machine use; 0400, root. */
export const SUPER_ADMIN_KUBECONFIG = "/etc/kubernetes/super-admin.conf";

/** `kubectl` as the step's scripts write it. What it keeps of its own goes with the cluster, and not into root's home. */
export const KUBECTL = `kubectl --kubeconfig ${SUPER_ADMIN_KUBECONFIG} --cache-dir /run/kubelab/kubectl`;

/** The statement that defines admin_kubectl, by which functions of the step library ask the API. */
export const AS_ADMIN = `admin_kubectl() { ${KUBECTL} "$@"; }`;

/** A Kubernetes object. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string; readonly apiVersion: string };

/** Where the control plane keeps the manifests of a step, to compare the API's objects with. */
const MANIFESTS = "/var/lib/kubelab/manifests";

/**
 * Statements that print a line for each object of a file of manifests that is gone from the API or differs in what the file says
 * of it. https://kubernetes.io/docs/reference/kubectl/generated/kubectl_diff/
 */
function differingObjects(file: string): string[] {
    return [
        "status=0",
        `answer=$(KUBECTL_EXTERNAL_DIFF='diff -u -N' ${KUBECTL} --request-timeout=5s diff --server-side --force-conflicts --field-manager=kubelab -f ${file} 2>/dev/null) || status=$?`,
        `if [ "$status" -gt 1 ]; then echo "can't be compared: the API server doesn't answer"; fi`,
        "# A file per object, named like v1.ConfigMap.kube-system.coredns; that of one which is gone is empty.",
        `awk '/^\\+\\+\\+ / { file = $2; sub(/.*\\//, "", file) }`,
        `    /^@@ / && file { print file, ($2 == "-0,0" ? "gone" : "changed"); file = "" }' <<<"$answer" |`,
        String.raw`    sed 's/^[^ ]*\.\([A-Z][A-Za-z]*\)\.[^. ]*\.\([^ ]*\) \(.*\)$/\1 \2: \3/'`,
    ];
}

/**
 * A step that applies manifests from a control-plane machine, server-side, and deletes them when it goes.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 *
 * @param first statements that run before that.
 * @param wait statements that run after the manifests were applied.
 */
export function manifests(
    name: string,
    args: Pick<StepArgs, "dependsOn" | "resource"> & {
        readonly machine: ReadyMachine;
        readonly objects: readonly Manifest[];
        readonly first?: readonly string[];
        readonly wait?: readonly string[];
    },
    parent: pulumi.Resource,
): remote.Command {
    const documents = args.objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
    const file = `${MANIFESTS}/${name}.yaml`;
    const feed = (command: string): string => `${command} <<'KUBELAB_MANIFESTS'\n${documents}KUBELAB_MANIFESTS`;
    return step(
        name,
        {
            machine: args.machine,
            undo: true,
            script: {
                create: [
                    `once ${name}`,
                    ...(args.first ?? []),
                    ...leaveCheck({ name, subject: "API", statements: differingObjects(file) }, [
                        { path: file, content: documents, mode: "0600" },
                    ]),
                    `${KUBECTL} apply --server-side --force-conflicts --field-manager=kubelab -f ${file}`,
                    ...(args.wait ?? []),
                ],
                delete: [
                    `once ${name}`,
                    feed(`${KUBECTL} delete --ignore-not-found --wait=false -f -`),
                    `rm -f ${file}`,
                    removeCheck(name),
                ],
            },
            ...(args.dependsOn ? { dependsOn: args.dependsOn } : {}),
            ...(args.resource === undefined ? {} : { resource: args.resource }),
        },
        parent,
    );
}
