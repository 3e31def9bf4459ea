/** A file or, where it has no data, a directory of a cpio archive. */
export interface CpioEntry {
    /** Relative, without `./` before it. Its directory comes before it. */
    readonly path: string;
    readonly data?: Buffer | string;
    /** Permission bits; by default 0755 for directories and 0644 for files. */
    readonly mode?: number;
}

const DIRECTORY = 0o040000;
const FILE = 0o100000;

/**
 * An archive in the format that Linux unpacks as initrd, "newc". Several of them one after another are one.
 *
 * @see https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
    const members = entries.map(({ path, data, mode }) =>
        data === undefined
            ? { path, data: Buffer.alloc(0), mode: DIRECTORY | (mode ?? 0o755) }
            : { path, data: Buffer.from(data as Buffer), mode: FILE | (mode ?? 0o644) },
    );
    return Buffer.concat(
        [...members, { path: "TRAILER!!!", data: Buffer.alloc(0), mode: 0 }].flatMap(({ path, data, mode }, index) => {
            const name = Buffer.from(`${path}\0`);
            const [owner, group, links, time, device] = [0, 0, 1, 0, 0];
            const fields = [
                ...[index + 1, mode, owner, group, links, time, data.length],
                ...[device, device, device, device, name.length, 0],
            ];
            const header = `070701${fields.map((value) => value.toString(16).padStart(8, "0")).join("")}`;
            return [padded(Buffer.concat([Buffer.from(header), name])), padded(data)];
        }),
    );
}

/** Filled up with zeros to a multiple of four bytes. */
function padded(bytes: Buffer): Buffer {
    return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
