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
    const listed = config.hosts?.filter(({ role }) => role === "control-plane").length ?? 0;
    if (config.provider === "hosts" && [3, 5].includes(listed)) {
        const problem = `lists ${listed} control planes, and more than one is not available yet in this version`;
        return [{ key: "hosts", value: undefined, problem, remedy: "list 1" }];
    }
    return NOT_AVAILABLE_YET.flatMap(({ key, value, instead }) => {
        const given: unknown = config[key];
        if (given === undefined || (value !== undefined && given !== value)) {
            return [];
        }
        return [{ key, value: given, problem: "is not available yet in this version", remedy: instead }];
    });
}
