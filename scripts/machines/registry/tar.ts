import { read } from "node:fs";
import { promisify } from "node:util";

const readAt = promisify(read);
const BLOCK = 512;

/** A file in a tar archive: where its bytes are. */
export interface TarEntry {
    readonly path: string;
    /** Bytes from the beginning of the archive. */
    readonly offset: number;
    readonly size: number;
}

/**
 * Finds the regular files in an uncompressed tar archive by reading its headers only.
 *
 * @param descriptor of the open archive
 * @throws Error when a header doesn't match its checksum
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ustar interchange format
 */
export async function indexTar(descriptor: number): Promise<TarEntry[]> {
    const entries: TarEntry[] = [];
    const header = Buffer.alloc(BLOCK);
    for (let offset = 0; ;) {
        const { bytesRead } = await readAt(descriptor, header, 0, BLOCK, offset);
        if (bytesRead < BLOCK || header.every((byte) => byte === 0)) {
            return entries;
        }
        if (checksum(header) !== octal(header, 148, 8)) {
            throw new Error(`not a whole tar archive: the header at byte ${offset} is damaged`);
        }
        const size = octal(header, 124, 12);
        const type = String.fromCharCode(header[156] ?? 0);
        if (type === "0" || type === "\0") {
            const prefix = text(header, 345, 155);
            const name = text(header, 0, 100);
            const path = (prefix === "" ? name : `${prefix}/${name}`).replace(/^\.\//, "");
            entries.push({ path, offset: offset + BLOCK, size });
        }
        offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    }
}

function text(header: Buffer, start: number, length: number): string {
    const field = header.subarray(start, start + length);
    const end = field.indexOf(0);
    return field.toString("utf8", 0, end < 0 ? length : end);
}

function octal(header: Buffer, start: number, length: number): number {
    return parseInt(text(header, start, length).trim() || "0", 8);
}

/** The sum of a header's bytes, with its own checksum field as spaces. */
function checksum(header: Buffer): number {
    return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}
