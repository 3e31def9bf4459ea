import { distance } from "fastest-levenshtein";

/**
 * ` Did you mean web-1, web-2?`, as the end of a message: names that begin with this one or are a few letters from it, the nearest first.
 * Nothing where no name is near.
 */
export function suggestNames(name: string, candidates: readonly string[]): string {
    const last = (candidate: string): string => candidate.split("/").at(-1) ?? candidate;
    const near = [...new Set(candidates)]
        .map((candidate) => ({
            candidate,
            far: name !== "" && last(candidate).startsWith(name) ? 0 : distance(name, last(candidate)),
        }))
        .filter(({ far }) => far <= Math.max(2, name.length / 3))
        .sort((a, b) => a.far - b.far || a.candidate.localeCompare(b.candidate))
        .slice(0, 5);
    return near.length === 0 ? "" : ` Did you mean ${near.map(({ candidate }) => candidate).join(", ")}?`;
}
