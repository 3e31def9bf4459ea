import type { Overlay, ProviderName } from "./types";

/**
 * Decides how pods' packets go between nodes where the config says `auto`: as they are where all nodes are in one subnet, in a
 * tunnel between subnets where nothing is known of them.
 */
export function resolveOverlay(provider: ProviderName): Overlay {
    switch (provider) {
        case "local":
        case "aws":
            return "none";
        case "hosts":
            return "subnet";
    }
}
