import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { LIBRARY_PATH, LIBRARY_SUM, ownLines, STEP_LIBRARY, withOwnLines } from "../../components/steps/script";
import { UserError } from "../support/errors";
import type { MachineRecord } from "./records";
import { machineResolvConf } from "./resolv-conf";

/** A file that makes a machine this one and no other. */
export interface MachineFile {
    /** From the machine's root, without a slash before it. */
    readonly path: string;
    readonly text: string;
    readonly mode: number;
}

const HOSTS = "etc/hosts";

/** @throws UserError where the functions of steps are asked for that another version has. */
export function machineFiles(record: MachineRecord): MachineFile[] {
    return [
        { path: "etc/hostname", text: `${record.machine}\n`, mode: 0o644 },
        { path: "etc/machine-id", text: `${record.machineId}\n`, mode: 0o444 },
        { path: "etc/resolv.conf", text: machineResolvConf(record.gateway), mode: 0o644 },
        { path: HOSTS, text: renderHosts(record), mode: 0o644 },
        { path: "etc/ssh/ssh_host_ed25519_key", text: `${record.hostKey.trim()}\n`, mode: 0o600 },
        {
            path: "root/.ssh/authorized_keys",
            text: record.authorizedKeys.map((line) => `${line}\n`).join(""),
            mode: 0o600,
        },
        ...(record.stepLibrary === undefined ? [] : [stepLibrary(record.stepLibrary)]),
    ];
}

function stepLibrary(sum: string): MachineFile {
    if (sum !== LIBRARY_SUM) {
        throw new UserError(`The request is for the step library ${sum}; this version of kubelab has ${LIBRARY_SUM}.`);
    }
    return { path: LIBRARY_PATH.slice(1), text: `${STEP_LIBRARY}\n`, mode: 0o644 };
}

/**
 * Writes a machine's files into its root directory: all of them at first; later, on top of what it was made from, only what changed,
 * since whatever else is in those files is the machine's own by then. The functions of steps are put back wherever they are missing.
 */
export function writeMachineFiles(root: string, record: MachineRecord, known: MachineRecord | undefined): void {
    const before = known === undefined ? [] : machineFiles({ ...known, stepLibrary: undefined });
    for (const file of machineFiles(record)) {
        const path = join(root, file.path);
        const there = existsSync(path) ? readFileSync(path, "utf8") : "";
        if (file.path === HOSTS && known !== undefined) {
            if (!isDeepStrictEqual(known.hosts, record.hosts)) {
                write(path, { ...file, text: withOwnLines(there, hostLines(record.hosts)) });
            }
        } else if (file.path === LIBRARY_PATH.slice(1)) {
            if (there !== file.text) {
                write(`${path}.new`, file);
                renameSync(`${path}.new`, path);
            }
        } else if (before.find((each) => each.path === file.path)?.text !== file.text) {
            write(path, file);
        }
    }
}

function write(path: string, { text, mode }: MachineFile): void {
    mkdirSync(dirname(path), { recursive: true, mode: path.includes(".ssh/") ? 0o700 : 0o755 });
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
}

/** /etc/hosts: the machine's own name, then those it was given. */
export function renderHosts({
    machine,
    addresses,
    hosts,
}: Pick<MachineRecord, "machine" | "addresses" | "hosts">): string {
    const own = addresses[0]?.split("/")[0] ?? "";
    return `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${own} ${machine}\n${ownLines(hostLines(hosts))}`;
}

function hostLines(hosts: MachineRecord["hosts"]): string[] {
    return Object.entries(hosts).map(([name, address]) => `${address} ${name}`);
}
