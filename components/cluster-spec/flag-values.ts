import { FLAG_RULES } from "./flags";
import type { Problem } from "./problems";
import type { Config } from "./schema";
import { FLAGGED_COMPONENTS, type InsecureFlag } from "./types";

/** The flags of a config that weaken its cluster. */
export function insecureFlags(flags: Config["flags"]): InsecureFlag[] {
    return FLAGGED_COMPONENTS.flatMap((component) =>
        Object.entries(flags[component] ?? {}).flatMap(([flag, value]) => {
            const { [flag]: rule } = FLAG_RULES[component].weakening;
            return rule?.when(value) === true ? [{ component, flag, value, why: rule.why }] : [];
        }),
    );
}

/** Flags with values that no cluster comes up with. */
export function refuseBreakingFlags({ flags = {} }: Partial<Config>): Problem[] {
    return FLAGGED_COMPONENTS.flatMap((component) =>
        Object.entries(flags[component] ?? {}).flatMap(([flag, value]) => {
            const rule = FLAG_RULES[component].breaking?.[flag];
            const key = `flags.${component}.${flag}`;
            return rule?.when(value) === true
                ? [{ key, value, problem: `can't be: ${rule.why}`, remedy: "remove it" }]
                : [];
        }),
    );
}

/** Flags that weaken the cluster and aren't allowed to, and what is allowed without need. */
export function refuseInsecureFlags({ flags, allowInsecure }: Partial<Config>): Problem[] {
    if (flags === undefined || allowInsecure === undefined) {
        return [];
    }
    const insecure = insecureFlags(flags);
    const refused = insecure
        .filter(({ flag }) => !allowInsecure.includes(flag))
        .map(({ component, flag, value, why }) => ({
            key: `flags.${component}.${flag}`,
            value,
            problem: `weakens the cluster: ${why}`,
            remedy: `remove it, or list ${flag} in kubelab:allowInsecure`,
        }));
    const idle = allowInsecure.flatMap((flag, position) => {
        if (insecure.some((each) => each.flag === flag)) {
            return [];
        }
        const problem = "allows nothing: no flag of that name in kubelab:flags weakens the cluster";
        return [{ key: `allowInsecure[${position}]`, value: flag, problem, remedy: "remove it" }];
    });
    return [...refused, ...idle];
}
