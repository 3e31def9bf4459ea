import { UserError } from "../../support/errors";

/**
 * The sha256 of a file out of the text that upstream publishes: lines as of sha256sum(1), or the bare digits of the one file
 * that the text is about.
 *
 * @param name of the file; lines may have a directory before it.
 * @param url where the text is from, for the message.
 * @throws UserError where the text has no checksum of the file, e.g. because it is a login page.
 */
export function publishedChecksum(text: string, name: string, url: string): string {
    const lines = text.split("\n").map((line) => line.trim());
    for (const line of lines.filter(Boolean)) {
        const [, digits = "", path] = /^([0-9a-fA-F]{64})(?:\s+\*?(\S+))?$/.exec(line) ?? [];
        if (digits !== "" && (path === undefined || path.slice(path.lastIndexOf("/") + 1) === name)) {
            return digits.toLowerCase();
        }
    }
    throw new UserError(`${url} has no sha256 of ${name}: nothing that can't be checked is downloaded`);
}
