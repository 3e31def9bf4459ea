import type { ServiceArgs } from "../host/service";
import type { NodeCertificates, Pki } from "../pki/pki";
import type { ClusterSpec } from "../spec/types";

/** What every process of a node that has an identity of its own is made from. */
export interface NodeServiceArgs extends Pick<ServiceArgs, "machine" | "parts" | "dependsOn"> {
    readonly spec: ClusterSpec;
    readonly pki: Pki;
    readonly certificates: NodeCertificates;
}
