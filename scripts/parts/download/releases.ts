import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../../support/errors";
import { EXTRAS, type Extra } from "../extras";
import { ARCHITECTURE, RECIPE_DIRECTORY } from "../recipe-digest";
import type { Versions } from "../versions";

const PART_PATH = z.string().regex(/^(bin|cni)\/[a-z0-9.-]+$/);
/** The extras that a file belongs to; missing where every cluster needs it. */
const neededBy = z.array(z.enum(EXTRAS)).min(1).optional();
const File = z.xor([
    z.strictObject({ neededBy, checksums: z.string(), program: PART_PATH }),
    z.strictObject({ neededBy, checksums: z.string(), archive: z.record(PART_PATH, z.string()) }),
]);
const Downloads = z.record(
    z.string(),
    z.strictObject({ base: z.url(), releases: z.url(), files: z.record(z.string(), File) }),
);

/** A file of an upstream release. */
export interface ReleaseFile {
    readonly part: string;
    readonly version: string;
    readonly neededBy?: readonly Extra[] | undefined;
    /** As Go calls it. */
    readonly architecture: string;
    /** Last element of its URL, as its checksum names it. */
    readonly name: string;
    readonly url: string;
    readonly checksumsUrl: string;
    /** The page that lists the versions. */
    readonly releases: string;
    /** The parts in it: path in the parts directory to path in the archive; undefined where the file itself is the part. */
    readonly members: Readonly<Record<string, string | undefined>>;
}

/** Those of the extras that upstream has a release file for. */
export function downloadedExtras(extras: readonly Extra[]): Extra[] {
    const files = Object.values(readDownloads()).flatMap((each) => Object.values(each.files));
    return extras.filter((extra) => files.some(({ neededBy: needing }) => needing?.includes(extra)));
}

function readDownloads(): z.infer<typeof Downloads> {
    return Downloads.parse(parse(readFileSync(join(RECIPE_DIRECTORY, "downloads.yaml"), "utf8")));
}

/**
 * All files that parts of these versions are in, from downloads.yaml, at upstream's servers or a mirror of them.
 *
 * @param extras beside the parts of every cluster.
 */
export function releaseFiles(
    versions: Versions,
    mirror: string | undefined,
    architecture: string = ARCHITECTURE,
    extras: readonly Extra[] = [],
): ReleaseFile[] {
    const wanted = ({ neededBy: needing }: ReleaseFile): boolean =>
        needing?.some((extra) => extras.includes(extra)) ?? true;
    const all = Object.entries(readDownloads()).flatMap(([part, { base, releases, files }]) => {
        const version = versions[part];
        if (version === undefined) {
            throw new Error(`downloads.yaml has ${part}, which parts.yaml has no version of`);
        }
        const put = (text: string): string => text.replaceAll("{version}", version).replaceAll("{arch}", architecture);
        const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
        const url = (path: string): string => mirrored(`${put(base)}/${encoded(put(path))}`, mirror);
        return Object.entries(files).map(([name, file]) => ({
            part,
            version,
            neededBy: file.neededBy,
            architecture,
            name: basename(put(name)),
            url: url(name),
            checksumsUrl: url(file.checksums),
            releases,
            members:
                "program" in file
                    ? { [file.program]: undefined }
                    : Object.fromEntries(Object.entries(file.archive).map(([path, member]) => [path, put(member)])),
        }));
    });
    return all.filter(wanted);
}

/** `https://dl.k8s.io/release/…` at a mirror is `<mirror>/dl.k8s.io/release/…`. */
function mirrored(url: string, mirror: string | undefined): string {
    return mirror === undefined ? url : `${mirror.replace(/\/+$/, "")}/${url.replace(/^https:\/\//, "")}`;
}

/**
 * `$KUBELAB_DOWNLOAD_MIRROR`: a server that has upstream's files below the name of the server they are from.
 *
 * @throws UserError where it isn't an http or https URL.
 */
export function mirrorFromEnvironment(): string | undefined {
    const mirror = process.env["KUBELAB_DOWNLOAD_MIRROR"] ?? "";
    if (mirror === "") {
        return undefined;
    }
    if (!URL.canParse(mirror) || !["http:", "https:"].includes(new URL(mirror).protocol)) {
        throw new UserError(`KUBELAB_DOWNLOAD_MIRROR is ${JSON.stringify(mirror)}: give a URL, https://…`);
    }
    return mirror;
}
