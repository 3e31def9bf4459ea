import type { Config } from "./schema";

/** How many nodes of each role there will be; with `hosts`, the list says. */
export function nodeCounts(config: Pick<Config, "provider" | "controlPlanes" | "workers" | "hosts">) {
    if (config.provider !== "hosts") {
        return { controlPlanes: config.controlPlanes, workers: config.workers };
    }
    const controlPlanes = config.hosts.filter(({ role }) => role === "control-plane").length;
    return { controlPlanes, workers: config.hosts.length - controlPlanes };
}
