import type { Overlay, ProviderName } from "./types";

/**
 * Decides how pods' packets go between nodes where the config says `auto`: as they are where all nodes are in one subnet, in a
 * tunnel between subnets where there are several or nothing is known of them.
 */
export function resolveOverlay(provider: ProviderName, subnets: number): Overlay {
    switch (provider) {
        case "local":
            return "none";
        case "aws":
            return subnets > 1 ? "subnet" : "none";
        case "hosts":
            return "subnet";
    }
}
