import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../../support/errors";
import { type Manifest, manifestDigest, parseManifest } from "../manifest";
import { ARCHITECTURE } from "../recipe-digest";
import { commitParts, newIncoming, type PartsDirectory, wholeParts } from "../store";
import { findDamage, PARTS_TIME } from "../verify";
import { differingVersions, type PartsRequest, type PartsSource } from "./source";

/** Takes parts that were built elsewhere: a directory with manifest.json, bin/, cni/ and images/. */
export const directorySource: PartsSource = {
    async find(request, progress) {
        return wholeParts(readDirectory(request).digest, progress);
    },

    async get(request, progress): Promise<PartsDirectory> {
        const { directory, manifest } = readDirectory(request);
        progress(`checking ${manifest.files.length} files of ${directory}`);
        const incoming = newIncoming();
        const absent = manifest.files.filter(({ path }) => !existsSync(join(directory, path)));
        if (absent.length > 0) {
            throw damaged(
                directory,
                absent.map(({ path }) => `${path} is missing`),
            );
        }
        for (const { path, mode } of manifest.files) {
            const target = join(incoming, path);
            copyFileSync(join(directory, path), target);
            chmodSync(target, parseInt(mode, 8));
        }
        // The copies are checked, so that nothing changes between the check and the use.
        const damage = await findDamage(incoming, manifest, "full");
        if (damage.length > 0) {
            throw damaged(directory, damage);
        }
        manifest.files.forEach(({ path }) => utimesSync(join(incoming, path), PARTS_TIME, PARTS_TIME));
        return commitParts(incoming, manifest);
    },
};

function readDirectory({ directory: given, versions }: PartsRequest): {
    readonly directory: string;
    readonly manifest: Manifest;
    readonly digest: string;
} {
    if (given === undefined) {
        throw new UserError("the source 'directory' needs the directory: --directory DIR, or kubelab:parts.directory");
    }
    const directory = resolve(given);
    const path = join(directory, "manifest.json");
    if (!existsSync(path) || !statSync(path).isFile()) {
        throw new UserError(
            `${directory} has no manifest.json: give a directory below <cache>/parts of a machine where 'scripts/lab parts' ran`,
        );
    }
    const text = readFileSync(path);
    let manifest: Manifest;
    try {
        manifest = parseManifest(text.toString("utf8"));
    } catch (error) {
        throw new UserError(`${path} can't be used: ${(error as Error).message}`);
    }
    if (manifest.architecture !== ARCHITECTURE) {
        throw new UserError(`${directory} has parts for ${manifest.architecture}, and this needs ${ARCHITECTURE}`);
    }
    const differing = differingVersions(versions, manifest.versions);
    if (differing.length > 0) {
        throw new UserError(`${directory} doesn't have ${differing.join(", ")}: set kubelab:versions to what it has`);
    }
    return { directory, manifest, digest: manifestDigest(text) };
}

function damaged(directory: string, problems: readonly string[]): UserError {
    return new UserError(`${directory} is damaged: ${problems.join("; ")}. Copy it again`);
}
