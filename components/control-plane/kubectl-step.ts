import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { step, type StepArgs } from "../host/step";
import type { ReadyMachine } from "../machines/machine";

/** The kubeconfig that steps on a control-plane machine use; 0400, root. */
export const SUPER_ADMIN_KUBECONFIG = "/etc/kubernetes/super-admin.conf";

/** `kubectl` as the step's scripts write it. */
export const KUBECTL = `kubectl --kubeconfig ${SUPER_ADMIN_KUBECONFIG}`;

/** A Kubernetes object. */
export type Manifest = Readonly<Record<string, unknown>> & { readonly kind: string; readonly apiVersion: string };

/**
 * A step that applies manifests from a control-plane machine, server-side, and deletes them when it goes.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 *
 * @param wait statements that run after the manifests were applied.
 */
export function manifests(
    name: string,
    args: Pick<StepArgs, "dependsOn"> & {
        readonly machine: ReadyMachine;
        readonly objects: readonly Manifest[];
        readonly wait?: readonly string[];
    },
    parent: pulumi.Resource,
): remote.Command {
    const documents = args.objects.map((object) => stringify(object, { lineWidth: 0 })).join("---\n");
    const feed = (command: string): string => `${command} <<'KUBELAB_MANIFESTS'\n${documents}KUBELAB_MANIFESTS`;
    return step(
        name,
        {
            machine: args.machine,
            undo: true,
            script: {
                create: [
                    `once ${name}`,
                    feed(`${KUBECTL} apply --server-side --force-conflicts --field-manager=kubelab -f -`),
                    ...(args.wait ?? []),
                ],
                delete: [`once ${name}`, feed(`${KUBECTL} delete --ignore-not-found --wait=false -f -`)],
            },
            ...(args.dependsOn ? { dependsOn: args.dependsOn } : {}),
        },
        parent,
    );
}
