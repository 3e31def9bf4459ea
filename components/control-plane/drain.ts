import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../machines/machine";
import type { DeliveredParts } from "../steps/parts";
import { rolloutComment, step, type StepArgs } from "../steps/step";
import type { ClusterSpec, NodeSpec } from "../cluster-spec/types";
import { AS_ADMIN } from "./kubectl-step";

/** Seconds that a step takes beside a drain. */
const MARGIN = 300;

/**
 * Empties a node of pods before its kubelet or containerd changes, as https://kubernetes.io/releases/version-skew-policy/ has it. It sits on
 * the control plane; `endDrain` is its counterpart. Where they stay what they are, and on a new node, it does nothing.
 *
 * @returns the step after which the programs may change.
 */
export function drain(
    args: {
        readonly spec: ClusterSpec;
        readonly node: NodeSpec;
        readonly controlPlane: ReadyMachine;
        readonly run: DeliveredParts["run"];
    } & Pick<StepArgs, "dependsOn" | "turn">,
    parent: pulumi.Resource,
): remote.Command {
    const { spec, node, controlPlane, run, dependsOn = [], turn } = args;
    const { kubernetes, containerd } = spec.versions;
    const { drainTimeout } = spec.upgrade;
    const name = `${node.name}-drain`;
    return step(
        name,
        {
            machine: controlPlane,
            script: run.apply((each) => ({
                create: [
                    ...rolloutComment(each),
                    `once ${name}`,
                    AS_ADMIN,
                    `drain_node ${node.name} ${kubernetes} ${containerd} ${drainTimeout}`,
                ],
            })),
            dependsOn: [controlPlane.ready, ...dependsOn],
            turn,
            timeout: drainTimeout + MARGIN,
        },
        parent,
    );
}

/** Statements before a running node is waited for: its kubelet reports the version that it is to have. */
export function awaitUpgrade({ versions }: Pick<ClusterSpec, "versions">, { name }: Pick<NodeSpec, "name">): string[] {
    return [AS_ADMIN, `if [ "$operation" = update ]; then await_kubelet ${name} ${versions.kubernetes}; fi`];
}

/** The statements after that, by which it takes pods again. */
export function endDrain({ versions }: Pick<ClusterSpec, "versions">, { name }: Pick<NodeSpec, "name">): string[] {
    return [
        `if [ "$operation" = update ]; then uncordon_node ${name}; fi`,
        `note_node ${name} ${versions.kubernetes} ${versions.containerd}`,
    ];
}
