import { FIRST_GENERATION } from "../cluster-spec/authorities";
import type { ClusterSpec } from "../cluster-spec/types";

/** The text that a node's kubelet has made its keys for: with another one it makes new keys, and asks for certificates again. */
export function keysOfKubelet({ newKeys, authorities }: ClusterSpec, node: string): string {
    const [signing] = authorities["kubernetes-ca"];
    const signer = signing === FIRST_GENERATION[0] ? [] : [`kubernetes-ca ${signing}`];
    return [...signer, newKeys[node] ?? ""].filter(Boolean).join(" ");
}
