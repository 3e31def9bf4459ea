import type { ServiceArgs } from "../steps/service";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";

/** What every process of the control plane is made from on one machine. */
export interface ControlPlaneServiceArgs extends Pick<
    ServiceArgs,
    "machine" | "parts" | "dependsOn" | "turn" | "secretsTurn"
> {
    readonly spec: ClusterSpec;
    readonly pki: Pki;
}
