import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { LIBRARY_PATH, LIBRARY_SUM, ownLines, STEP_LIBRARY, withOwnLines } from "../../components/steps/script";
import { UserError } from "../support/errors";
import type { MachineRecord } from "./records";

/**
 * Writes what makes a machine this one and no other into its root directory: all of it at first; later, on top of what it was
 * made from, only what changed, since whatever else is in those files is the machine's own by then.
 */
export function writeMachineFiles(root: string, record: MachineRecord, known: MachineRecord | undefined): void {
    const write = (path: string, text: string, mode = 0o644): void => {
        mkdirSync(join(root, dirname(path)), { recursive: true, mode: path.includes(".ssh/") ? 0o700 : 0o755 });
        writeFileSync(join(root, path), text, { mode });
        chmodSync(join(root, path), mode);
    };
    if (!known) {
        write("etc/hostname", `${record.machine}\n`);
        write("etc/machine-id", `${record.machineId}\n`, 0o444);
        write("etc/resolv.conf", resolvConf());
    }
    if (!known) {
        write("etc/hosts", renderHosts(record));
    } else if (!isDeepStrictEqual(known.hosts, record.hosts)) {
        const file = join(root, "etc/hosts");
        write("etc/hosts", withOwnLines(existsSync(file) ? readFileSync(file, "utf8") : "", hostLines(record.hosts)));
    }
    if (record.stepLibrary !== undefined) {
        writeStepLibrary(root, record.stepLibrary, write);
    }
    if (known?.hostKey !== record.hostKey) {
        write("etc/ssh/ssh_host_ed25519_key", `${record.hostKey.trim()}\n`, 0o600);
    }
    if (!isDeepStrictEqual(known?.authorizedKeys, record.authorizedKeys)) {
        write("root/.ssh/authorized_keys", record.authorizedKeys.map((line) => `${line}\n`).join(""), 0o600);
    }
}

/** The functions of steps, also where somebody has taken them away. @throws UserError for those of another version. */
function writeStepLibrary(root: string, sum: string, write: (path: string, text: string) => void): void {
    if (sum !== LIBRARY_SUM) {
        throw new UserError(`The request is for the step library ${sum}; this version of kubelab has ${LIBRARY_SUM}.`);
    }
    const file = join(root, LIBRARY_PATH);
    const text = `${STEP_LIBRARY}\n`;
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
        write(`${LIBRARY_PATH}.new`, text);
        renameSync(`${file}.new`, file);
    }
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

/** The host's own resolver configuration, past a stub resolver that only listens on the host's loopback. */
function resolvConf(): string {
    const behindStub = "/run/systemd/resolve/resolv.conf";
    const path = existsSync(behindStub) ? behindStub : "/etc/resolv.conf";
    return existsSync(path) ? withoutLoopback(readFileSync(path, "utf8")) : "";
}

/** resolv.conf without name servers that a machine can't reach: those on loopback. */
export function withoutLoopback(text: string): string {
    return text
        .split("\n")
        .filter((line) => {
            const server = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
            return server === undefined || !(server === "::1" || (isIPv4(server) && server.startsWith("127.")));
        })
        .join("\n");
}
