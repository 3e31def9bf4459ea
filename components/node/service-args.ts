import type { HostFile } from "../steps/script";
import type { ServiceArgs } from "../steps/service";
import type { ReadyMachine } from "../machines/machine";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";

/** What every process of a node that has an identity of its own is made from. */
export interface NodeServiceArgs extends Pick<ServiceArgs, "machine" | "parts" | "dependsOn"> {
    readonly spec: ClusterSpec;
    readonly pki: Pki;
    /** The first control plane's machine. */
    readonly controlPlane: ReadyMachine;
}

/**
 * A file that changes, and so starts a process of the node again, when the control plane is recreated. It may be empty
 * then: a kubelet registers its node only when it starts, and a watch that began in the old cluster waits for a
 * revision that the new one is far from.
 *
 * @param id the control plane's machine id.
 */
export function controlPlaneFile(directory: string, id: string): HostFile {
    return { path: `${directory}/control-plane`, content: id };
}
