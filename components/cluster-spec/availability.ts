import type { Config, ConfigKey } from "./schema";
import type { Problem } from "./problems";

/** A valid value that is not implemented yet. */
interface Missing {
    readonly key: ConfigKey;
    /** The value that isn't available; any value where it is left out. */
    readonly value?: string | number;
    readonly instead: string;
}

/** One line per feature to come: whoever builds it removes its line. */
export const NOT_AVAILABLE_YET: readonly Missing[] = [
    { key: "controlPlanes", value: 3, instead: "use 1" },
    { key: "controlPlanes", value: 5, instead: "use 1" },
];

/** A problem for every valid setting that is not implemented yet. */
export function refuseUnavailable(config: Partial<Config>): Problem[] {
    return NOT_AVAILABLE_YET.flatMap(({ key, value, instead }) => {
        const given: unknown = config[key];
        if (given === undefined || (value !== undefined && given !== value)) {
            return [];
        }
        return [{ key, value: given, problem: "is not available yet in this version", remedy: instead }];
    });
}
