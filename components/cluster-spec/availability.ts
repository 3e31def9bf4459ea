import type { Problem } from "./problems";
import { nodeCounts } from "./node-counts";
import type { Config } from "./schema";

/** Problems of valid settings that are not implemented yet. */
export function refuseUnavailable({ provider, hosting, controlPlanes, workers, hosts }: Partial<Config>): Problem[] {
    if (provider === undefined || controlPlanes === undefined || workers === undefined || hosts === undefined) {
        return [];
    }
    const { controlPlanes: count } = nodeCounts({ provider, controlPlanes, workers, hosts });
    if (count !== 3 && count !== 5) {
        return [];
    }
    if (provider === "hosts") {
        const problem = `lists ${count} control planes, and more than one is not available yet on hosts`;
        return [{ key: "hosts", value: undefined, problem, remedy: "list 1" }];
    }
    const where = provider === "aws" ? "on AWS" : hosting === "static-pods" ? "with static pods" : undefined;
    return where === undefined
        ? []
        : [{ key: "controlPlanes", value: count, problem: `is not available yet ${where}`, remedy: "use 1" }];
}
