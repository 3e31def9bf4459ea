import { createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../support/errors";
import { sha256OfFile } from "../verify";
import { type Attempts, withAttempts } from "./attempts";
import { NetworkError, request, type Timeouts } from "./request";

export interface Download {
    readonly url: string;
    /** Lower-case hex. */
    readonly sha256: string;
    /** Path of the file; a partial download is beside it, in `<target>.part`. */
    readonly target: string;
}

export interface DownloadSettings extends Attempts {
    readonly timeouts: Timeouts;
}

/** Called with the progress of a file in bytes; the size is undefined where the server does not send it. */
export type OnBytes = (present: number, size: number | undefined) => void;

/**
 * Downloads a file and compares its sha256. Resumes from the part file of an earlier run.
 *
 * @throws NetworkError where the server keeps failing; the partial file stays.
 * @throws UserError where the content isn't what was published; it is removed.
 */
export async function downloadFile(download: Download, settings: DownloadSettings, onBytes: OnBytes): Promise<void> {
    const { url, sha256, target } = download;
    if (existsSync(target) && (await sha256OfFile(target)) === sha256) {
        return;
    }
    const part = `${target}.part`;
    const isResumed = sizeOf(part) > 0;
    await fill(url, part, settings, onBytes);
    let actual = await sha256OfFile(part);
    if (actual !== sha256 && isResumed) {
        // The old piece may be what is wrong.
        rmSync(part);
        await fill(url, part, settings, onBytes);
        actual = await sha256OfFile(part);
    }
    if (actual !== sha256) {
        const size = sizeOf(part);
        rmSync(part);
        throw new UserError(
            `${url} (${size} bytes) has the sha256 ${actual} instead of the published ${sha256}. It was removed. Try again; ` +
                "if that persists, the server or something on the way to it changes the file",
        );
    }
    renameSync(part, target);
}

/** Resumes the part file until it is complete. */
async function fill(url: string, part: string, settings: DownloadSettings, onBytes: OnBytes): Promise<void> {
    let before = sizeOf(part);
    const hasProgressed = (): boolean => {
        const last = before;
        before = sizeOf(part);
        return before > last;
    };
    try {
        await withAttempts(settings, () => append(url, part, settings, onBytes), hasProgressed);
    } catch (error) {
        if (error instanceof NetworkError && sizeOf(part) > 0) {
            throw new NetworkError(
                `${error.message}. ${sizeOf(part)} bytes of it are kept: run the same command again to resume`,
            );
        }
        throw error;
    }
}

const RANGE_NOT_SATISFIABLE = 416;

async function append(url: string, part: string, settings: DownloadSettings, onBytes: OnBytes): Promise<void> {
    const start = sizeOf(part);
    const options = {
        timeouts: settings.timeouts,
        signal: settings.signal,
        accept: [RANGE_NOT_SATISFIABLE],
        // A compressed answer cannot be resumed.
        headers: { "accept-encoding": "identity", ...(start > 0 ? { range: `bytes=${start}-` } : {}) },
    };
    await request(url, options, async (response, alive) => {
        if (response.status === RANGE_NOT_SATISFIABLE) {
            // All bytes are there; whether they are the right ones, the checksum says.
            return;
        }
        const isRest = response.status === 206;
        if (isRest && !response.headers.get("content-range")?.startsWith(`bytes ${start}-`)) {
            rmSync(part, { force: true });
            throw new NetworkError(`${url}: the server sent another range of bytes than it was asked for`);
        }
        const length = response.headers.get("content-length");
        let present = isRest ? start : 0;
        const size = length === null ? undefined : present + Number(length);
        const body = response.body as AsyncIterable<Uint8Array> | null;
        const pieces = async function* (): AsyncGenerator<Uint8Array> {
            for await (const piece of body ?? []) {
                alive();
                present += piece.length;
                onBytes(present, size);
                yield piece;
            }
        };
        await pipeline(pieces, createWriteStream(part, { flags: isRest ? "a" : "w" }));
    });
}

function sizeOf(path: string): number {
    return existsSync(path) ? statSync(path).size : 0;
}
