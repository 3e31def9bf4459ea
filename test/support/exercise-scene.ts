import type { Scene } from "../../scripts/exercise/scene";
import { parseClusterSpec } from "../../components/cluster-spec";

/** A lab of containers as exercises see it. */
export function scene(config: Readonly<Record<string, unknown>> = { workers: 2 }): Scene {
    const spec = parseClusterSpec(config, { stack: "kubenet" });
    const nodes = spec.nodes.map(({ name, role, podCidr }) => ({
        name,
        role,
        address: spec.local?.addresses[name] ?? "",
        ...(podCidr === undefined ? {} : { podCidr }),
    }));
    const podNetwork = spec.network === "cni" ? spec.cniPlugin : spec.network;
    return { outputs: { nodes, podNetwork }, spec, machines: "container" };
}
