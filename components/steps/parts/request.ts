import type { Extra, GetRequest } from "../../../scripts/parts/contract";
import type { ClusterSpec } from "../../cluster-spec/types";

/** What a cluster asks of the parts tool: the parts of every cluster, and those that only its own settings need. */
export function partsRequest(
    spec: Pick<ClusterSpec, "parts" | "versions" | "hosting" | "network" | "cniPlugin">,
): GetRequest {
    const { source, directory } = spec.parts;
    const extras = extrasOf(spec);
    return {
        source,
        ...(directory === undefined ? {} : { directory }),
        versions: { ...spec.versions },
        ...(extras.length === 0 ? {} : { extras }),
    };
}

/** Parts that not every cluster needs. */
export function extrasOf({
    hosting,
    network,
    cniPlugin,
}: Pick<ClusterSpec, "hosting" | "network" | "cniPlugin">): Extra[] {
    return [
        ...(hosting === "static-pods" ? (["static-pods"] as const) : []),
        ...(network === "cni" ? [cniPlugin] : []),
    ];
}
