import type * as pulumi from "@pulumi/pulumi";
import type { HostFile } from "../steps/script";
import type { ServiceArgs } from "../steps/service";
import type { Turn } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";

/** What every process of a node that has an identity of its own is made from. */
export interface NodeServiceArgs extends Pick<ServiceArgs, "machine" | "parts" | "dependsOn"> {
    readonly spec: ClusterSpec;
    readonly pki: Pki;
    /** The first control plane's machine. */
    readonly controlPlane: ReadyMachine;
    /** The machines of all of them. */
    readonly controlPlanes: readonly ReadyMachine[];
    /** What a kubelet waits for before it asks for its certificates again: in a run after which another key signs them. */
    readonly signers: Turn;
}

/**
 * A file that changes, and so starts a process of the node again, when the only control plane is recreated. It may be empty
 * then: a kubelet registers its node only when it starts, and a watch that began in the old cluster waits for a
 * revision that the new one is far from. One of several is none that the cluster's data depends on.
 */
export function controlPlaneFile(
    directory: string,
    { spec, controlPlane }: Pick<NodeServiceArgs, "spec" | "controlPlane">,
): pulumi.Output<HostFile>[] {
    return spec.highlyAvailable
        ? []
        : [controlPlane.id.apply((id) => ({ path: `${directory}/control-plane`, content: id }))];
}
