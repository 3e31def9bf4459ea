import { z } from "../support/request";
import { EXTRAS } from "./extras";

/** The parts tool: what `get --json` and `sources --json` read from standard input, and what they print. */

export { type Extra, EXTRAS } from "./extras";
export { partsPath } from "./paths";
export { ARCHITECTURE } from "./recipe-digest";

export const SOURCES = ["auto", "download", "build", "directory"] as const;
export type SourceName = (typeof SOURCES)[number];

/** Versions by part, by the keys of parts.yaml; those of other parts are the pinned ones. */
const versions = z.record(z.string(), z.string()).readonly();

/** Of `get`. */
export const getRequest = z
    .object({
        source: z.enum(SOURCES),
        /** For the source `directory`. */
        directory: z.string().optional(),
        versions: versions.optional(),
        /** Beside the parts of every cluster. */
        extras: z.array(z.enum(EXTRAS)).readonly().optional(),
    })
    .readonly();
export type GetRequest = z.infer<typeof getRequest>;

export interface GetAnswer {
    /** Names the parts directory: `partsPath`. */
    readonly digest: string;
    /** sha256 by path in the parts directory, e.g. of `bin/etcd`: 64 hex digits. */
    readonly files: Readonly<Record<string, string>>;
    /** Another text in each answer: whoever kept one knows whether parts were asked for since. */
    readonly run?: string;
}

/** Of `sources`. */
export const sourcesRequest = z
    .object({
        versions,
        /** As Go calls it. */
        architecture: z.string(),
    })
    .readonly();
export type SourcesRequest = z.infer<typeof sourcesRequest>;

export interface SourcesAnswer {
    /** By path in a parts directory. */
    readonly sources: Readonly<Record<string, PartSource>>;
}

/** Where a machine downloads one part from. */
export interface PartSource {
    /** 64 hex digits that are others when the part is another: its sha256, or that of its archive's sha256 and its path there. */
    readonly fingerprint: string;
    readonly url: string;
    /** Of what is at the URL, as its publisher says. */
    readonly sha256: string;
    /** Path in the archive that is at the URL; the part itself is there where this is missing. */
    readonly member?: string;
}
