import { machineFiles } from "../disk";
import type { MachineRecord } from "../records";
import { cpio, type CpioEntry } from "./cpio";

/**
 * What makes a virtual machine this one and no other, as an archive behind the initrd that all share: its addresses, and the files
 * that the initrd puts on its disk. The archive has the machine's private host key in it.
 */
export function identityArchive(record: MachineRecord): Buffer {
    const files = machineFiles(record).map(({ path, text, mode }) => ({
        path: `machine/root/${path}`,
        data: text,
        mode,
    }));
    const config = `ADDRESSES='${record.addresses.join(" ")}'\nGATEWAY='${record.gateway}'\n`;
    return cpio([
        { path: "machine" },
        ...directoriesOf(files.map(({ path }) => path)),
        ...files,
        { path: "machine/config", data: config },
    ]);
}

/** Every directory above these paths once, outer ones first. */
function directoriesOf(paths: readonly string[]): CpioEntry[] {
    const all = paths.flatMap((path) => {
        const parts = path.split("/").slice(0, -1);
        return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    });
    return [...new Set(all)]
        .filter((path) => path !== "machine")
        .sort()
        .map((path) => ({ path, mode: path.endsWith("/.ssh") ? 0o700 : 0o755 }));
}
