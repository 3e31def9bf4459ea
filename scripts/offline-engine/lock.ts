import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../support/errors";

interface Owner {
    readonly pid: number;
    /** Start time of the process in clock ticks since boot, and the boot it counts from: tells it from a later one of that pid. */
    readonly started: string;
    readonly operation: string;
    readonly since: string;
}

/**
 * Takes the lock of a stack, so that one run at a time changes it.
 *
 * A lock whose owner no longer runs is cleared.
 *
 * @returns what lets go of the lock.
 * @throws UserError naming the owner while another run holds it.
 */
export function takeLock(file: string, operation: string): () => void {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const owner: Owner = {
        pid: process.pid,
        started: startOf(process.pid) ?? "",
        operation,
        since: new Date().toISOString(),
    };
    const own = `${file}.${process.pid}`;
    writeFileSync(own, JSON.stringify(owner), { mode: 0o600 });
    try {
        while (!tryLink(own, file)) {
            const holder = readOwner(file);
            if (holder && holder.started !== "" && startOf(holder.pid) === holder.started) {
                throw new UserError(
                    `Another \`${holder.operation}\` of this stack is running: process ${holder.pid}, since ${holder.since}. ` +
                        "Wait for it to end, or end it.",
                );
            }
            clearStale(file, holder);
        }
    } finally {
        rmSync(own, { force: true });
    }
    return () => {
        const holder = readOwner(file);
        if (holder?.pid === owner.pid && holder.started === owner.started) {
            rmSync(file, { force: true });
        }
    };
}

/** Removes a lock that was found stale, unless another run took it just now. */
function clearStale(file: string, found: Owner | undefined): void {
    const aside = `${file}.stale.${process.pid}`;
    try {
        renameSync(file, aside);
    } catch {
        return;
    }
    const removed = readOwner(aside);
    if (removed?.pid !== found?.pid || removed?.started !== found?.started) {
        tryLink(aside, file);
    }
    rmSync(aside, { force: true });
}

/** Identifies a running process beyond its pid; undefined when it doesn't run. */
export function startOf(pid: number): string | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
        return fields[0] === "Z" ? undefined : `${boot}/${fields[19]}`;
    } catch {
        return undefined;
    }
}

function tryLink(from: string, to: string): boolean {
    try {
        linkSync(from, to);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") {
            return false;
        }
        throw error;
    }
}

function readOwner(file: string): Owner | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Owner;
    } catch {
        return undefined;
    }
}
