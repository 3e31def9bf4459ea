import { randomUUID } from "node:crypto";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { errorText } from "../support/answer";
import { UserError } from "../support/errors";
import { Display } from "../support/display";
import { settleModes } from "../support/modes";
import { parseRequest } from "../support/request";
import {
    ensureParts,
    exportParts,
    findDamage,
    findParts,
    importParts,
    listDigests,
    openParts,
    type PartsDirectory,
    readParts,
} from ".";
import {
    type Extra,
    EXTRAS,
    type GetAnswer,
    type GetRequest,
    getRequest,
    SOURCES,
    type SourcesAnswer,
    sourcesRequest,
} from "./contract";
import { late } from "../support/late";

const display = new Display();
const { progress } = display;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface GetFlags extends GetRequest {
    readonly json?: boolean;
    readonly set: Readonly<Record<string, string>>;
    readonly with: readonly Extra[];
}

async function get(flags: GetFlags): Promise<void> {
    const request = flags.json
        ? parseRequest(getRequest, await text(process.stdin))
        : { ...flags, versions: flags.set, extras: flags.with };
    display.begin("parts");
    const parts = await ensureParts(request, progress);
    display.end();
    const files = Object.fromEntries(parts.manifest.files.map(({ path, sha256 }) => [path, sha256]));
    const answer: GetAnswer = { digest: parts.digest, files, run: randomUUID() };
    print(JSON.stringify(flags.json ? answer : { digest: parts.digest }));
}

async function sources(): Promise<void> {
    const { versions, architecture } = parseRequest(sourcesRequest, await text(process.stdin));
    const [{ partSources }, { mirrorFromEnvironment }, { wantedVersions }] = await Promise.all([
        late<typeof import("./download/sources")>(require, "./download/sources"),
        late<typeof import("./download/releases")>(require, "./download/releases"),
        late<typeof import("./versions")>(require, "./versions"),
    ]);
    const mirror = mirrorFromEnvironment();
    const answer: SourcesAnswer = { sources: await partSources(wantedVersions(versions), architecture, { mirror }) };
    print(JSON.stringify(answer));
}

/** Adds `etcd=3.6.8` of the command line to the versions. */
function addVersion(text: string, versions: Readonly<Record<string, string>>): Record<string, string> {
    const [, part, version] = /^([A-Za-z]+)=(.+)$/.exec(text) ?? [];
    if (part === undefined || version === undefined) {
        throw new UserError(`--set ${text}: give a part and its version, like --set kubernetes=1.36.3`);
    }
    return { ...versions, [part]: version };
}

/** Adds `flannel,kubeadm` of the command line to the extras. */
function addExtras(text: string, extras: readonly Extra[]): readonly Extra[] {
    const wanted = text.split(",").map((word) => EXTRAS.find((extra) => extra === word));
    if (wanted.includes(undefined)) {
        throw new UserError(`--with ${text}: give ${EXTRAS.join(", ")}, with commas between them`);
    }
    return [...extras, ...wanted.filter((extra) => extra !== undefined)];
}

async function exportTo(
    file: string,
    digest: string | undefined,
    flags: { readonly with: readonly Extra[] },
): Promise<void> {
    const parts = digest === undefined ? await onlyParts(flags.with) : openParts(digest);
    const written = await exportParts(parts, file, progress);
    if (parts.manifest.images.length === 0) {
        progress("these parts have no images: nodes pull them from their registries, or from kubelab:registryMirrors");
    }
    print(JSON.stringify({ digest: parts.digest, file: written }));
}

/** What `get` would give now; else the only parts that there are. */
async function onlyParts(extras: readonly Extra[]): Promise<PartsDirectory> {
    const digests = listDigests();
    const parts =
        (await findParts({ source: "auto", extras }, progress)) ??
        (digests.length === 1 ? openParts(digests[0] ?? "") : undefined);
    if (parts === undefined) {
        throw new UserError(
            digests.length === 0
                ? "there are no parts in the cache: run 'scripts/lab parts' first"
                : `the cache has the parts ${digests.join(", ")}: name one after the file`,
        );
    }
    return parts;
}

async function importFrom(file: string): Promise<void> {
    const { digest, path } = await importParts(file, progress);
    progress(`imported into ${path}: the source 'auto' takes them for their versions`);
    print(JSON.stringify({ digest }));
}

function list(): void {
    for (const digest of listDigests()) {
        const parts = readParts(digest);
        if (parts === undefined) {
            print(`${digest}  damaged: its manifest.json is missing or changed`);
            continue;
        }
        const { files, versions, images: archives } = parts.manifest;
        const size = Math.round(files.reduce((sum, file) => sum + file.size, 0) / 1024 ** 2);
        const names = Object.entries(versions).map(([part, version]) => `${part} ${version}`);
        const images = archives.map(({ file }) => basename(file, ".tar"));
        print(`${digest}  ${size} MiB  ${names.join(", ")}; images: ${images.join(", ") || "none"}`);
    }
}

async function prune({ dryRun = false }: { readonly dryRun?: boolean }): Promise<void> {
    const [{ findUnneeded, remove }, { withLock }, { partsRoot }] = await Promise.all([
        late<typeof import("./prune")>(require, "./prune"),
        late<typeof import("./lock")>(require, "./lock"),
        late<typeof import("./paths")>(require, "./paths"),
    ]);
    await withLock(join(partsRoot(), ".lock"), progress, async () => {
        const unneeded = findUnneeded();
        const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
        unneeded.forEach(({ path, bytes }) => print(`${path}  ${mebibytes(bytes)}`));
        const total = mebibytes(unneeded.reduce((sum, { bytes }) => sum + bytes, 0));
        const what = dryRun ? "to remove" : "removed";
        print(unneeded.length === 0 ? "nothing to remove" : `${what}: ${unneeded.length} directories, ${total}`);
        if (!dryRun) {
            remove(unneeded);
        }
        return Promise.resolve();
    });
}

async function verify(digests: readonly string[]): Promise<void> {
    let damaged = 0;
    for (const digest of digests.length > 0 ? digests : listDigests()) {
        const { path, manifest } = openParts(digest);
        const damage = await findDamage(path, manifest, "full");
        damaged += damage.length;
        damage.forEach((problem) => print(`${digest}  ${problem}`));
        print(`${digest}  ${manifest.files.length - damage.length} of ${manifest.files.length} files are whole`);
    }
    if (damaged > 0) {
        throw new UserError("run 'scripts/lab parts' to get what is damaged again");
    }
}

const program = new Command("parts").description("The binaries and images that a lab is made from.");
program
    .command("get")
    .description("get the parts into the cache and print their digest as JSON")
    .addOption(new Option("--source <source>", "where they come from").choices(SOURCES).default("auto"))
    .option("--directory <directory>", "existing parts, for the source 'directory'")
    .option("--set <part=version>", "another version than the pinned one; may be repeated", addVersion, {})
    .option("--with <extras>", `parts that not every cluster needs: ${EXTRAS.join(",")}`, addExtras, [])
    .option("--json", "read {source, directory, versions, extras} from stdin; print the sha256 of every file too")
    .action(get);
program
    .command("sources")
    .description("print where machines can download every part themselves, with checksums")
    .requiredOption("--json", "read {versions, architecture} from stdin")
    .action(sources);
program
    .command("prune")
    .description("remove what neither this version nor any lab needs: old parts, root file systems, Pulumi CLIs")
    .option("--dry-run", "say what would be removed, and remove nothing")
    .action(prune);
program.command("list").description("list the parts in the cache").action(list);
program
    .command("verify [digests...]")
    .description("read every file of the parts in the cache and compare its sha256")
    .action(verify);
program
    .command("export <file> [digest]")
    .description("write parts into a tar archive, for a machine without a network (default: those that 'get' gives)")
    .option("--with <extras>", "those that 'get --with' gives", addExtras, [])
    .action(exportTo);
program
    .command("import <file>")
    .description("check an archive of 'export' and put its parts into the cache")
    .action(importFrom);

settleModes();
program.parseAsync().catch((error: unknown) => {
    display.end();
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
});
