/** One member of a tar archive. */
export interface TarEntry {
    /** Relative path without a leading or trailing slash. */
    readonly path: string;
    readonly type: "file" | "directory" | "symlink";
    /** Permission bits. */
    readonly mode: number;
    readonly uid?: number;
    readonly gid?: number;
    readonly content?: Buffer;
    /** Target of a symbolic link. */
    readonly target?: string;
    /** Extended attributes, e.g. `security.capability`. */
    readonly attributes?: Readonly<Record<string, Buffer>>;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: "0", symlink: "2", directory: "5" } as const;

/**
 * A POSIX tar archive in which the same entries always give the same bytes: sorted by path, all with the same time.
 * Long names and extended attributes go into pax headers (`SCHILY.xattr.…`, as GNU tar and containerd read them).
 *
 * @param time modification time of every member, in seconds since 1970.
 */
export function tarArchive(entries: readonly TarEntry[], time: number): Buffer {
    const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    const blocks: Buffer[] = [];
    for (const entry of sorted) {
        const records = paxRecords(entry);
        if (records.length > 0) {
            blocks.push(header({ path: "pax", type: "x", size: records.length, mode: 0o644, time }), padded(records));
        }
        const content = entry.content ?? Buffer.alloc(0);
        const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
        const { mode, uid, gid, target } = entry;
        blocks.push(
            header({ path, type: TYPE_FLAGS[entry.type], size: content.length, mode, uid, gid, target, time }),
            padded(content),
        );
    }
    return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function paxRecords(entry: TarEntry): Buffer {
    const records: Buffer[] = [];
    if (Buffer.byteLength(entry.path) >= 100) {
        records.push(paxRecord("path", Buffer.from(entry.type === "directory" ? `${entry.path}/` : entry.path)));
    }
    if (entry.target !== undefined && Buffer.byteLength(entry.target) > 100) {
        records.push(paxRecord("linkpath", Buffer.from(entry.target)));
    }
    for (const [name, value] of Object.entries(entry.attributes ?? {})) {
        records.push(paxRecord(`SCHILY.xattr.${name}`, value));
    }
    return Buffer.concat(records);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
    const rest = Buffer.byteLength(key) + value.length + 3;
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

interface Header {
    readonly path: string;
    readonly type: string;
    readonly size: number;
    readonly mode: number;
    readonly time: number;
    readonly uid?: number | undefined;
    readonly gid?: number | undefined;
    readonly target?: string | undefined;
}

function header({ path, type, size, mode, time, uid = 0, gid = 0, target = "" }: Header): Buffer {
    const block = Buffer.alloc(BLOCK);
    const octal = (value: number, offset: number, digits: number): void => {
        block.write(value.toString(8).padStart(digits, "0"), offset, "latin1");
    };
    Buffer.from(path).copy(block, 0, 0, 100);
    octal(mode, 100, 7);
    octal(uid, 108, 7);
    octal(gid, 116, 7);
    octal(size, 124, 11);
    octal(time, 136, 11);
    block.fill(" ", 148, 156);
    block.write(type, 156, "latin1");
    Buffer.from(target).copy(block, 157, 0, 100);
    block.write("ustar\0" + "00", 257, "latin1");
    const sum = block.reduce((total, byte) => total + byte, 0);
    octal(sum, 148, 6);
    block.write("\0 ", 154, "latin1");
    return block;
}

function padded(content: Buffer): Buffer {
    const rest = content.length % BLOCK;
    return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - rest)]);
}
