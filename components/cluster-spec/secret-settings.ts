import type { Problem } from "./problems";
import { type FlaggedComponent, FLAGGED_COMPONENTS } from "./types";

/** Keys whose values stay secrets: what carries them is encrypted in the state, and no message repeats them. */
const KEPT_SECRET = ["flags", "sudoPassword"];

/** Secrets of the config that would be in the clear in the state. */
export function refuseOtherSecrets(secretKeys: readonly string[]): Problem[] {
    const problem = "is a secret in the config, and would be in the clear in the state, in names or addresses";
    return secretKeys
        .filter((key) => !KEPT_SECRET.includes(key))
        .map((key) => ({ key, value: undefined, problem, remedy: "set it without --secret" }));
}

/** The problem, without its value where that is of a secret key. */
export function withoutSecretValue(problem: Problem, secretKeys: readonly string[]): Problem {
    const [key = ""] = problem.key.split(/[.[]/);
    return secretKeys.includes(key) ? { ...problem, value: undefined } : problem;
}

/** The components whose flags are secrets: the config tells of a key as a whole alone that there is one in it. */
export function secretFlags(
    flags: Readonly<Partial<Record<FlaggedComponent, object | undefined>>>,
    secretKeys: readonly string[],
): FlaggedComponent[] {
    const flagged = FLAGGED_COMPONENTS.filter((name) => Object.keys(flags[name] ?? {}).length > 0);
    return secretKeys.includes("flags") ? flagged : [];
}
