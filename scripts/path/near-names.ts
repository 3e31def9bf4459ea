import { distance } from "fastest-levenshtein";

/** Names like the one that isn't there, as the end of a message: at most five, with a blank before them; else nothing. */
export function near(name: string, candidates: readonly string[]): string {
    const last = (candidate: string): string => candidate.split("/").at(-1) ?? candidate;
    const close = [...new Set(candidates)]
        .map((candidate) => ({
            candidate,
            far: last(candidate).startsWith(name) ? 0 : distance(name, last(candidate)),
        }))
        .filter(({ far }) => far <= Math.max(2, name.length / 3))
        .sort((a, b) => a.far - b.far)
        .slice(0, 5)
        .map(({ candidate }) => candidate);
    return close.length === 0 ? "" : ` Is it ${close.join(", ")}?`;
}
