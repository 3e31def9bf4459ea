import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { join } from "node:path";
import { UserError } from "../support/errors";

interface CliLock {
    readonly pid: number;
    readonly username: string;
    readonly hostname: string;
    readonly timestamp: string;
}

/**
 * Whether a stack of a local file backend is locked by runs that are dead, as a killed `up` leaves it.
 *
 * @throws UserError naming the owner when a live run holds it.
 */
export function isLockedByTheDead(backend: string, project: string, stack: string): boolean {
    const directory = join(backend, ".pulumi/locks/organization", project, stack);
    if (!existsSync(directory)) {
        return false;
    }
    const locks = readdirSync(directory)
        .filter((name) => name.endsWith(".json"))
        .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as CliLock);
    const alive = locks.find(isAlive);
    if (alive) {
        throw new UserError(
            `Another run of Pulumi holds the stack "${stack}": process ${alive.pid} of ${alive.username} on ` +
                `${alive.hostname}, since ${alive.timestamp}. Wait for it to end, or end it.`,
        );
    }
    return locks.length > 0;
}

/** When a process started, in clock ticks since boot; undefined when it doesn't run. */
function startOf(pid: number): number | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return fields[0] === "Z" ? undefined : Number(fields[19]);
    } catch {
        return undefined;
    }
}

/** A process of that pid that is Pulumi's and was there when the lock was taken; on other hosts this is unknown. */
function isAlive(lock: CliLock): boolean {
    if (lock.hostname !== hostname()) {
        return true;
    }
    const start = startOf(lock.pid);
    if (start === undefined) {
        return false;
    }
    // In hundredths of a second since boot, as /proc tells times to programs on every architecture that Linux has.
    const started = Date.now() - uptime() * 1000 + start * 10;
    try {
        const command = readFileSync(`/proc/${lock.pid}/comm`, "utf8").trim();
        return command.startsWith("pulumi") && started <= Date.parse(lock.timestamp) + 2000;
    } catch {
        return false;
    }
}
