import { RunError } from "@pulumi/pulumi/errors";
import { distance } from "fastest-levenshtein";

/** One thing that is wrong in the stack config. */
export interface Problem {
    /** Path of the setting without `kubelab:`, e.g. `local.network` or `hosts[0].address`. */
    readonly key: string;
    /** What was given; undefined where something is missing, and where a key is unknown, since that may hold a secret. */
    readonly value: unknown;
    /** Continues the sentence that starts with the value: "has host bits set". */
    readonly problem: string;
    /** What to do: "did you mean 10.0.0.0/16?" */
    readonly remedy: string;
}

/** Who gave the settings: a stack by its config, or a program by a component's args. */
export type SettingsOf = { readonly stack: string } | { readonly component: string };

/** The text with settings called as whoever gave them calls them: `kubelab:podCidr` in a stack's config, `podCidr` in args. */
export function inWordsOf(settings: SettingsOf, text: string): string {
    return "stack" in settings ? text : text.replace(/\bkubelab:(?=[a-zA-Z])/g, "");
}

/** The error, with settings called as whoever gave them calls them. Its class, and whether Pulumi prints its stack, stay. */
export function errorInWordsOf(settings: SettingsOf, error: unknown): unknown {
    if (error instanceof Error && RunError.isInstance(error)) {
        error.message = inWordsOf(settings, error.message);
    }
    return error;
}

/**
 * The stack config, or what a program gave in its place, is wrong: all problems together. A `RunError`, so that Pulumi
 * prints the message without a stack trace
 * (https://www.pulumi.com/docs/reference/pkg/nodejs/pulumi/pulumi/classes/RunError.html).
 */
export class InvalidConfig extends RunError {
    readonly problems: readonly Problem[];

    constructor(settings: SettingsOf, problems: readonly Problem[]) {
        const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
        const lines = problems.map((problem) => inWordsOf(settings, formatProblem(problem)));
        const what =
            "stack" in settings
                ? `config of stack "${settings.stack}" has`
                : `args of Cluster "${settings.component}" have`;
        super([`The ${what} ${count}:`, ...lines].join("\n  "));
        this.name = "InvalidConfig";
        this.problems = problems;
    }
}

/** `kubelab:podCidr: "10.0.0.1/16" has host bits set; did you mean 10.0.0.0/16?` Credentials in a URL are left out. */
export function formatProblem({ key, value, problem, remedy }: Problem): string {
    const given = value === undefined ? "" : `${JSON.stringify(value).replace(/\/\/[^/@"]*@/g, "//…@")} `;
    return `kubelab:${key}: ${given}${problem}; ${remedy}`;
}

/** The known name that `given` most likely stands for: small slips, another case, or other dashes. */
export function nearest(given: string, known: readonly string[]): string | undefined {
    const plain = (name: string) => name.toLowerCase().replace(/[-_.\s]/g, "");
    const slips = known.map((name) => ({ name, slips: distance(plain(given), plain(name)) }));
    const best = slips.reduce((a, b) => (b.slips < a.slips ? b : a), { name: "", slips: Infinity });
    const length = plain(best.name).length;
    return best.slips <= (length < 4 ? 1 : Math.max(2, Math.floor(length / 3))) ? best.name : undefined;
}

/** `did you mean "kubenet"?`, or the list of what there is where nothing is near. */
export function suggest(given: string, known: readonly string[]): string {
    const name = nearest(given, known);
    return name === undefined ? `choose one of ${known.join(", ")}` : `did you mean "${name}"?`;
}
