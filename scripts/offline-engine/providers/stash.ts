import type { Provider } from "../provider";

/**
 * `pulumi:index:Stash`: keeps the first input that it was made with, whatever the input is later, until it is replaced.
 * https://www.pulumi.com/docs/iac/concepts/resources/stash/
 */
export const stash: Provider = {
    pure: true,
    create: ({ name }, { input = null }) => Promise.resolve({ id: name, outputs: { input, output: input } }),
    update: (_subject, { outputs }, { input = null }) => Promise.resolve({ input, output: outputs["output"] ?? null }),
};
