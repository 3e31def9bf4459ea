import { type Problem, suggest } from "./problems";

/** Keys of `kubelab:repair` beside the nodes' names: everything, and what the host has of a lab beside its machines. */
const ALL = "all";
const HOST = "host";

/** A problem for each key of `kubelab:repair` that isn't one of the nodes' names, `all` or `host`. */
export function refuseUnknownRepairs(repair: Readonly<Record<string, string>>, nodes: readonly string[]): Problem[] {
    const known = [ALL, HOST, ...nodes];
    return Object.entries(repair)
        .filter(([name]) => !known.includes(name))
        .map(([name, value]) => ({
            key: `repair.${name}`,
            value,
            problem: "is for no node of this cluster",
            remedy: suggest(name, known),
        }));
}

/** The text for each node and for `host` whose change makes their steps run again; those without one are missing. */
export function planRepair(
    repair: Readonly<Record<string, string>>,
    nodes: readonly string[],
): Readonly<Record<string, string>> {
    const texts = [HOST, ...nodes].map((name) => {
        const own = [repair[ALL], repair[name]].filter((text) => text !== undefined && text !== "");
        return [name, own.join(" ")] as const;
    });
    return Object.fromEntries(texts.filter(([, text]) => text !== ""));
}
