import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../cluster-spec/ports";
import type { ClusterSpec } from "../cluster-spec/types";
import type { Machine, ReadyMachine } from "../machines/machine";
import { step } from "../steps/step";
import { knowNode } from "./known-nodes";
import { keysOfKubelet } from "./keys-of-kubelet";
import { nodeCertificateRights } from "./rights";

/**
 * Has the control plane make a bootstrap token for a node whose machine is new, or is to make new keys, or is repaired: an `up` that
 * changes none of these makes none. It is good for nothing until `offerToken` gives it to the API server.
 *
 * @returns the token, secret.
 */
export function bootstrapToken(
    args: {
        readonly spec: ClusterSpec;
        readonly machine: Machine;
        readonly controlPlane: ReadyMachine;
        readonly dependsOn: readonly pulumi.Resource[];
    },
    parent: pulumi.Resource,
): { readonly token: pulumi.Output<string>; readonly minted: pulumi.Resource } {
    const { spec, machine, controlPlane, dependsOn } = args;
    const minted = step(
        `${machine.name}-kubelet-token`,
        {
            machine: { ...controlPlane, repair: undefined },
            repair: machine.repair,
            secretOutput: true,
            script: machine.id.apply((id) => ({
                create: [
                    `# for ${id}`,
                    `# keys: ${keysOfKubelet(spec, machine.name)}`,
                    // Not in the record: it is gone when the node has joined.
                    "step=''",
                    `once token-${machine.name}`,
                    `mint ${machine.name}`,
                ],
            })),
            dependsOn: [controlPlane.ready, ...dependsOn],
        },
        parent,
    );
    return { token: pulumi.secret(minted.stdout).apply((text) => text.trim()), minted };
}

/** Statements of the step by which a node becomes one of the cluster. */
export interface Joining {
    /** Have the node's certificates approved, and let its kubelet ask for the first one. */
    readonly offer: readonly string[];
    /** Take the token away, once the node is Ready. */
    readonly withdraw: readonly string[];
}

/** @param address of the node, that the nodes reach each other by: the only one in a certificate of its port. */
export function joiningOf(spec: ClusterSpec, node: string, address: string): Joining {
    return {
        offer: [...knowNode(spec, node, address), `await_signer ${PORTS.controllerManager}`, `offer_token ${node}`],
        withdraw: [`withdraw_token ${node}`],
    };
}

/** The statements that give nodes the right to join, before `kubectl apply` comes to it. */
export function earlyRights(spec: ClusterSpec): string[] {
    const lines = nodeCertificateRights().map((each) => {
        const { kind, metadata } = each;
        const place = "namespace" in metadata ? `namespaces/${metadata.namespace}/` : "";
        const path = `/apis/rbac.authorization.k8s.io/v1/${place}${kind.toLowerCase()}s`;
        return `${path}\n${JSON.stringify(each)}\n`;
    });
    return [`use_api https://127.0.0.1:${spec.api.port}`, `early_rights <<'RIGHTS'\n${lines.join("")}RIGHTS`];
}
