import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    utimesSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { PartFile } from "../manifest";
import { buildRoot } from "../paths";
import { findDamage, modeOf, PARTS_TIME, sha256OfFile } from "../verify";

/** What a finished step has made. */
export interface StepOutput {
    readonly directory: string;
    /** Paths are relative to `directory`. */
    readonly files: readonly PartFile[];
}

const LIST = "step.json";

/**
 * Makes a directory of files from inputs, or takes the one of an earlier run with the same inputs where none of its files is
 * damaged. It gets its name when it is whole, so that an interrupted step is never taken for a finished one; `make` finds
 * what it had left behind in the directory, as long as this machine hasn't been restarted since (what was written may not
 * have reached the disk).
 *
 * @param inputs all that the result depends on, as JSON.
 */
export async function step(
    name: string,
    inputs: unknown,
    make: (directory: string) => Promise<void>,
): Promise<StepOutput & { readonly reused: boolean }> {
    const digest = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
    const directory = join(buildRoot(), `${name}-${digest}`);
    const kept = await finishedStep(directory);
    if (kept !== undefined) {
        return { directory, files: kept, reused: true };
    }
    const incoming = `${directory}.${bootId()}`;
    removeOthers(name, basename(incoming));
    mkdirSync(incoming, { recursive: true });
    await make(incoming);
    const files = await listFiles(incoming);
    writeFileSync(join(incoming, LIST), JSON.stringify(files));
    files.forEach(({ path }) => utimesSync(join(incoming, path), PARTS_TIME, PARTS_TIME));
    renameSync(incoming, directory);
    return { directory, files, reused: false };
}

/** Whether a step of this name was finished, from whatever inputs. */
export function wasBuilt(name: string): boolean {
    const directories = readdirSync(buildRoot()).filter((each) => each.startsWith(`${name}-`));
    return directories.some((each) => existsSync(join(buildRoot(), each, LIST)));
}

async function finishedStep(directory: string): Promise<readonly PartFile[] | undefined> {
    if (!existsSync(join(directory, LIST))) {
        return undefined;
    }
    try {
        const files = JSON.parse(readFileSync(join(directory, LIST), "utf8")) as readonly PartFile[];
        const manifest = { version: 1, architecture: "", versions: {}, files, images: [] } as const;
        return (await findDamage(directory, manifest, "full")).length === 0 ? files : undefined;
    } catch {
        return undefined;
    }
}

/** Removes what earlier inputs and earlier boots of the machine left of a step. */
function removeOthers(name: string, keep: string): void {
    const root = buildRoot();
    mkdirSync(root, { recursive: true });
    readdirSync(root)
        .filter((entry) => entry !== keep && entry.startsWith(`${name}-`))
        .filter((entry) => /^[0-9a-f]{16}(\.[0-9a-f]+)?$/.test(entry.slice(name.length + 1)))
        .forEach((entry) => rmSync(join(root, entry), { recursive: true, force: true }));
}

async function listFiles(directory: string): Promise<PartFile[]> {
    const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
        .sort();
    const files: PartFile[] = [];
    for (const path of paths) {
        const stats = statSync(join(directory, path));
        const sha256 = await sha256OfFile(join(directory, path));
        files.push({ path, size: stats.size, sha256, mode: modeOf(stats) });
    }
    return files;
}

function bootId(): string {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
}

/** Makes the directory of a file. */
export function makeParent(path: string): void {
    mkdirSync(dirname(path), { recursive: true });
}
