import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { UserError } from "../support/errors";
import { AS_ROOT } from "./names";

/** Ids beside the user's own that a Debian system's users and groups take. */
export const NEEDED_IDS = 65_536;

/**
 * The command line that lets a command be root of a user namespace, where it isn't root: files that it makes for other users belong to
 * the user's subordinate ids, and those of root to the user.
 *
 * @see https://man7.org/linux/man-pages/man1/unshare.1.html
 */
export function asRootOfNamespace(command: readonly string[]): [string, ...string[]] {
    const [file = "", ...args] = command;
    return AS_ROOT ? [file, ...args] : ["unshare", "--user", "--map-root-user", "--map-auto", "--", file, ...args];
}

/** @throws UserError where the user has too few subordinate ids, or the kernel gives no user namespace. */
export function requireSubordinateIds(read: (path: string) => string = (path) => readFileSync(path, "utf8")): void {
    const { username, uid } = userInfo();
    const [path] = filesLackingIds([username, String(uid)], (file) => textOf(file, read));
    if (path !== undefined) {
        const option = path === "/etc/subuid" ? "--add-subuids" : "--add-subgids";
        throw new UserError(
            `${path} has no ${NEEDED_IDS} ids for ${username}, which the users in a machine's image need. Once, as root: ` +
                `usermod ${option} 200000-265535 ${username} (any range that ${path} has for nobody else).`,
        );
    }
}

/** The files that have too few subordinate ids for a user who has these names. */
export function filesLackingIds(names: readonly string[], read: (path: string) => string): string[] {
    return ["/etc/subuid", "/etc/subgid"].filter((path) => subordinateIds(read(path), names) < NEEDED_IDS);
}

/** How many ids the lines `name:first:count` give to a user who has these names. */
export function subordinateIds(text: string, names: readonly string[]): number {
    const counts = text.split("\n").map((line) => {
        const [name = "", , count = "0"] = line.split(":");
        return names.includes(name) ? Number(count) : 0;
    });
    return Math.max(0, ...counts);
}

function textOf(path: string, read: (path: string) => string): string {
    try {
        return read(path);
    } catch {
        return "";
    }
}
