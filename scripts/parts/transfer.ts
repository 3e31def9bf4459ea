import { chmodSync, existsSync, lstatSync, renameSync, rmSync, utimesSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../support/errors";
import { syncPath } from "../support/sync";
import { run } from "./build/run";
import { withLock } from "./lock";
import { type Manifest, manifestDigest, parseManifest } from "./manifest";
import { partsRoot } from "./paths";
import { ARCHITECTURE } from "./recipe-digest";
import { commitParts, newIncoming, type PartsDirectory, rememberImported, wholeParts } from "./store";
import { findDamage, PARTS_TIME } from "./verify";

type Progress = (line: string) => void;

/**
 * Writes parts into a tar archive, as a directory named by their digest, manifest.json first. The same parts give the same bytes.
 *
 * @param file isn't there yet; it gets its name when it is whole.
 * @returns its absolute path.
 * @throws UserError where it is there, or a file of the parts is damaged.
 */
export async function exportParts(parts: PartsDirectory, file: string, progress: Progress): Promise<string> {
    const target = resolve(file);
    if (existsSync(target)) {
        throw new UserError(`${target} is there already: remove it or give another name`);
    }
    progress(`checking ${parts.manifest.files.length} files of ${parts.path}`);
    refuseDamage(
        parts.path,
        await findDamage(parts.path, parts.manifest, "full"),
        "Run 'scripts/lab parts' to get it again",
    );
    const unfinished = `${target}.unfinished`;
    const same = ["--format=ustar", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${PARTS_TIME}`];
    const names = ["manifest.json", ...parts.manifest.files.map(({ path }) => path).sort()].map(
        (name) => `${parts.digest}/${name}`,
    );
    try {
        await run("tar", [
            "--create",
            "--force-local",
            ...same,
            "--file",
            unfinished,
            "--directory",
            dirname(parts.path),
            ...names,
        ]);
        syncPath(unfinished);
        renameSync(unfinished, target);
    } finally {
        rmSync(unfinished, { force: true });
    }
    return target;
}

/**
 * Puts exported parts into the cache, each file checked before any can be seen there. The source `auto` takes them from then
 * on for their versions.
 *
 * @throws UserError where the archive isn't one of parts, is for another architecture, or a file in it is damaged.
 */
export async function importParts(file: string, progress: Progress): Promise<PartsDirectory> {
    const archive = resolve(file);
    const found = await readArchive(archive);
    return withLock(join(partsRoot(), ".lock"), progress, async () => {
        const parts = (await wholeParts(found.digest, () => undefined)) ?? (await unpack(archive, found, progress));
        rememberImported(parts);
        return parts;
    });
}

async function readArchive(archive: string): Promise<{ readonly manifest: Manifest; readonly digest: string }> {
    if (!existsSync(archive) || !lstatSync(archive).isFile()) {
        throw new UserError(`${archive} is no file: give one that 'scripts/lab parts export' wrote`);
    }
    const first = ["--force-local", "--occurrence=1", "--wildcards", "--file", archive, "*/manifest.json"];
    let member: string;
    let text: string;
    try {
        member = await run("tar", ["--list", ...first]);
        text = await run("tar", ["--extract", "--to-stdout", ...first]);
    } catch {
        throw new UserError(
            `${archive} has no manifest.json that can be read: it isn't of 'scripts/lab parts export', or it is damaged`,
        );
    }
    const digest = manifestDigest(text);
    if (member.trim() !== `${digest}/manifest.json`) {
        throw new UserError(`${archive} is damaged: manifest.json isn't the one of ${dirname(member)}. Copy it again`);
    }
    let manifest: Manifest;
    try {
        manifest = parseManifest(text);
    } catch (error) {
        throw new UserError(`${archive}: manifest.json can't be used: ${(error as Error).message}`);
    }
    if (manifest.architecture !== ARCHITECTURE) {
        throw new UserError(`${archive} has parts for ${manifest.architecture}, and this needs ${ARCHITECTURE}`);
    }
    return { manifest, digest };
}

async function unpack(
    archive: string,
    { manifest, digest }: { readonly manifest: Manifest; readonly digest: string },
    progress: Progress,
): Promise<PartsDirectory> {
    progress(`checking ${manifest.files.length} files of ${archive}`);
    const incoming = newIncoming();
    const flags = ["--extract", "--force-local", "--no-same-owner", "--strip-components=1"];
    const members = manifest.files.map(({ path }) => `${digest}/${path}`);
    let complaint: UserError | undefined;
    try {
        await run("tar", [...flags, "--file", archive, "--directory", incoming, ...members]);
    } catch (error) {
        // What is missing or cut off is named below.
        complaint = error as UserError;
    }
    const damage = await unpackedDamage(incoming, manifest);
    if (damage.length > 0 || complaint !== undefined) {
        rmSync(incoming, { recursive: true });
    }
    refuseDamage(archive, damage, "Copy it again");
    if (complaint !== undefined) {
        throw complaint;
    }
    manifest.files.forEach(({ path }) => utimesSync(join(incoming, path), PARTS_TIME, PARTS_TIME));
    return commitParts(incoming, manifest);
}

async function unpackedDamage(directory: string, manifest: Manifest): Promise<string[]> {
    const links = manifest.files.filter(({ path }) => {
        const stats = lstatSync(join(directory, path), { throwIfNoEntry: false });
        return stats !== undefined && !stats.isFile();
    });
    if (links.length > 0) {
        return links.map(({ path }) => `${path} isn't a plain file`);
    }
    manifest.files
        .filter(({ path }) => existsSync(join(directory, path)))
        .forEach(({ path, mode }) => chmodSync(join(directory, path), parseInt(mode, 8)));
    return findDamage(directory, manifest, "full");
}

const NAMED = 5;

function refuseDamage(what: string, damage: readonly string[], remedy: string): void {
    if (damage.length > 0) {
        const more = damage.length > NAMED ? [`${damage.length - NAMED} more files are damaged too`] : [];
        throw new UserError(`${what} is damaged: ${[...damage.slice(0, NAMED), ...more].join("; ")}. ${remedy}`);
    }
}
