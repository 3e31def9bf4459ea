import type { Extra } from "../extras";
import type { Progress } from "../../support/progress";
import type { PartsDirectory } from "../store";

/** A request for parts. */
export interface PartsRequest {
    /** Whose versions are known beforehand; those of other parts are the pinned ones. */
    readonly versions: Readonly<Record<string, string>>;
    /** Beside the parts of every cluster. */
    readonly extras?: readonly Extra[] | undefined;
    /** Only for the source `directory`. */
    readonly directory?: string | undefined;
}

/** A place that parts come from. */
export interface PartsSource {
    /**
     * The parts where they are in the cache already and whole: at most a second's work, no lock, no network.
     *
     * @param progress gets a line about what is damaged.
     */
    find(request: PartsRequest, progress: Progress): Promise<PartsDirectory | undefined>;

    /** Gets them. Called under the parts lock. Throws UserError where the request can't be met from this source. */
    get(request: PartsRequest, progress: Progress): Promise<PartsDirectory>;
}

/** "kubernetes 1.35.0 (it has 1.36.3)" for every version asked for that isn't the one there is. */
export function differingVersions(
    asked: Readonly<Record<string, string>>,
    present: Readonly<Record<string, string>>,
): string[] {
    return Object.entries(asked)
        .filter(([part, version]) => present[part] !== version)
        .map(([part, version]) => `${part} ${version} (it has ${present[part] ?? "none"})`);
}
