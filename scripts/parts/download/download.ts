import {
    chmodSync,
    copyFileSync,
    existsSync,
    lstatSync,
    mkdirSync,
    renameSync,
    rmSync,
    statSync,
    utimesSync,
} from "node:fs";
import { join } from "node:path";
import { UserError } from "../../support/errors";
import type { Progress } from "../../support/progress";
import { ensureRoom } from "../build/prerequisites";
import { run } from "../build/run";
import type { Extra } from "../extras";
import type { PartFile } from "../manifest";
import { downloadRoot } from "../paths";
import { ARCHITECTURE } from "../recipe-digest";
import { commitParts, linkFile, newIncoming, type PartsDirectory } from "../store";
import { modeOf, PARTS_TIME, sha256OfFile } from "../verify";
import type { Versions } from "../versions";
import { withAttempts } from "./attempts";
import { publishedChecksum } from "./checksums";
import { DownloadDisplay } from "./display";
import { downloadFile, type DownloadSettings } from "./file";
import { inParallel } from "./in-parallel";
import { type ReleaseFile, releaseFiles } from "./releases";
import { NotFoundError, request } from "./request";

export interface DownloadOptions extends DownloadSettings {
    /** Has upstream's files below the name of the server they are from, e.g. `https://mirror.example/files`. */
    readonly mirror: string | undefined;
    /** Beside the parts of every cluster. */
    readonly extras: readonly Extra[];
    /** Parts of the same versions without the extras, which are taken from there. */
    readonly without: PartsDirectory | undefined;
    /** Downloads at a time. */
    readonly parallel: number;
    /** Milliseconds between two lines about what is under way. */
    readonly telling: number;
}

export const DEFAULTS: DownloadOptions = {
    mirror: undefined,
    extras: [],
    without: undefined,
    timeouts: { answer: 15_000, idle: 30_000 },
    attempts: 3,
    pause: 1_000,
    parallel: 4,
    telling: 1_000,
};

/** The archives, and the programs out of them. */
const NEEDED_BYTES = 2 * 1024 ** 3;

/**
 * Downloads all parts of these versions into the cache. Resumes a killed run.
 *
 * @throws UserError for a version that upstream doesn't have, and for a file that isn't what upstream published.
 * @throws NetworkError where a server can't be reached or fails.
 */
export async function downloadParts(
    versions: Versions,
    given: Partial<DownloadOptions>,
    progress: Progress,
): Promise<PartsDirectory> {
    const options = { ...DEFAULTS, ...given };
    const directory = downloadRoot();
    mkdirSync(directory, { recursive: true });
    ensureRoom([directory], "a download", NEEDED_BYTES);
    const { without } = options;
    const wanted = releaseFiles(versions, options.mirror, ARCHITECTURE, options.extras).filter(
        ({ neededBy }) => without === undefined || neededBy !== undefined,
    );
    // All of them first: they are small, and say whether the versions exist.
    const checksums = await inParallel(options.parallel, wanted, (file, signal) => checksumOf(file, options, signal));
    const display = new DownloadDisplay(wanted.length, progress, options.telling);
    const files: { readonly file: ReleaseFile; readonly path: string }[] = wanted.map((file, index) => ({
        file,
        path: join(directory, `${checksums[index]}-${file.name}`),
    }));
    try {
        await inParallel(options.parallel, [...files.entries()], async ([index, { file, path }], signal) => {
            const download = { url: file.url, sha256: checksums[index] ?? "", target: path };
            const onBytes = display.start(file.name);
            await explained(file, () => downloadFile(download, { ...options, signal }, onBytes));
            display.done(file.name);
        });
    } finally {
        display.end();
    }
    const incoming = newIncoming();
    const parts = (without?.manifest.files ?? []).map((file) => linkFile(without?.path ?? "", file, incoming));
    for (const { file, path } of files) {
        parts.push(...(await takeParts(file, path, incoming)));
    }
    const committed = commitParts(incoming, {
        version: 1,
        architecture: ARCHITECTURE,
        versions,
        files: parts,
        images: [],
    });
    rmSync(directory, { recursive: true });
    return committed;
}

/** The sha256 that upstream publishes for the file. */
export async function checksumOf(file: ReleaseFile, options: DownloadOptions, signal: AbortSignal): Promise<string> {
    const url = file.checksumsUrl;
    const text = await explained(file, () =>
        withAttempts({ ...options, signal }, () =>
            request(url, { timeouts: options.timeouts, signal }, (response) => response.text()),
        ),
    );
    return publishedChecksum(text, file.name, url);
}

/** Names the version that does not exist. */
async function explained<T>(
    { part, version, releases, architecture }: ReleaseFile,
    work: () => Promise<T>,
): Promise<T> {
    try {
        return await work();
    } catch (error) {
        if (error instanceof NotFoundError) {
            throw new UserError(
                `there is no release of ${part} ${version} for linux/${architecture} (${error.message}). The versions there ` +
                    `are: ${releases}. Set kubelab:versions.${part} to one of them`,
            );
        }
        throw error;
    }
}

/** Puts the parts that a downloaded file is, or has in it, into the directory. */
async function takeParts(file: ReleaseFile, path: string, incoming: string): Promise<PartFile[]> {
    const members = Object.entries(file.members);
    const unpacked = `${path}.unpacked`;
    if (members.some(([, member]) => member !== undefined)) {
        rmSync(unpacked, { recursive: true, force: true });
        mkdirSync(unpacked);
        const flags = ["--extract", "--gzip", "--force-local", "--no-same-owner"];
        await run("tar", [...flags, "--file", path, "--directory", unpacked]);
    }
    const parts: PartFile[] = [];
    for (const [part, member] of members) {
        const from = member === undefined ? path : join(unpacked, member);
        if (!existsSync(from) || !lstatSync(from).isFile()) {
            throw new UserError(
                `${file.url} has no ${member}: ${file.part} ${file.version} is packed in another way than ` +
                    "scripts/parts/downloads.yaml says. Use another version of it, or the source 'build'",
            );
        }
        parts.push(await takePart(from, part, incoming));
    }
    rmSync(unpacked, { recursive: true, force: true });
    return parts;
}

async function takePart(from: string, path: string, incoming: string): Promise<PartFile> {
    const to = join(incoming, path);
    move(from, to);
    chmodSync(to, 0o755);
    utimesSync(to, PARTS_TIME, PARTS_TIME);
    const stats = statSync(to);
    return { path, size: stats.size, sha256: await sha256OfFile(to), mode: modeOf(stats) };
}

function move(from: string, to: string): void {
    try {
        renameSync(from, to);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EXDEV") {
            throw error;
        }
        copyFileSync(from, to);
    }
}
