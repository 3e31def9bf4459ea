import { type Problem, suggest } from "./problems";

/** Keys of `kubelab:repair` beside the nodes' names: everything, and what the host has of a lab beside its machines. */
const ALL = "all";
const HOST = "host";

type Texts = Readonly<Record<string, string>>;

/** A problem for each key of `kubelab:repair` that isn't one of the nodes' names, `all` or `host`. */
export function refuseUnknownRepairs(repair: Texts, nodes: readonly string[]): Problem[] {
    return refuseUnknown("repair", repair, [ALL, HOST, ...nodes]);
}

/** A problem for each key of `kubelab:newKeys` that isn't one of the nodes' names or `all`. */
export function refuseUnknownNewKeys(newKeys: Texts, nodes: readonly string[]): Problem[] {
    return refuseUnknown("newKeys", newKeys, [ALL, ...nodes]);
}

function refuseUnknown(setting: string, texts: Texts, known: readonly string[]): Problem[] {
    return Object.entries(texts)
        .filter(([name]) => !known.includes(name))
        .map(([name, value]) => ({
            key: `${setting}.${name}`,
            value,
            problem: "is for no node of this cluster",
            remedy: suggest(name, known),
        }));
}

/** The text for each node and for `host` whose change makes their steps run again; those without one are missing. */
export function planRepair(repair: Texts, nodes: readonly string[]): Texts {
    return textsOf(repair, [HOST, ...nodes]);
}

/** The text for each node whose change makes its keys anew; those without one are missing. */
export function planNewKeys(newKeys: Texts, nodes: readonly string[]): Texts {
    return textsOf(newKeys, nodes);
}

function textsOf(given: Texts, names: readonly string[]): Texts {
    const texts = names.map((name) => {
        const own = [given[ALL], given[name]].filter((text) => text !== undefined && text !== "");
        return [name, own.join(" ")] as const;
    });
    return Object.fromEntries(texts.filter(([, text]) => text !== ""));
}
