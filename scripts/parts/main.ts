import { text } from "node:stream/consumers";
import { Command, Option } from "commander";
import { UserError } from "../support/errors";
import { ensureParts, type EnsureOptions, findDamage, listDigests, openParts, readParts, SOURCES } from ".";

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface GetFlags extends EnsureOptions {
    readonly json?: boolean;
}

async function get(flags: GetFlags): Promise<void> {
    const request = flags.json ? readRequest(await text(process.stdin)) : flags;
    const parts = await ensureParts(request, progress);
    const files = Object.fromEntries(parts.manifest.files.map(({ path, sha256 }) => [path, sha256]));
    print(JSON.stringify(flags.json ? { digest: parts.digest, files } : { digest: parts.digest }));
}

function readRequest(json: string): EnsureOptions {
    try {
        return JSON.parse(json) as EnsureOptions;
    } catch {
        throw new UserError(`stdin isn't JSON: give {"source", "directory", "versions"}`);
    }
}

function list(): void {
    for (const digest of listDigests()) {
        const parts = readParts(digest);
        if (parts === undefined) {
            print(`${digest}  damaged: its manifest.json is missing or changed`);
            continue;
        }
        const { files, versions } = parts.manifest;
        const size = Math.round(files.reduce((sum, file) => sum + file.size, 0) / 1024 ** 2);
        const names = Object.entries(versions).map(([part, version]) => `${part} ${version}`);
        print(`${digest}  ${size} MiB  ${names.join(", ")}`);
    }
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
    .option("--json", "read {source, directory, versions} from stdin; print the sha256 of every file too")
    .action(get);
program.command("list").description("list the parts in the cache").action(list);
program
    .command("verify [digests...]")
    .description("read every file of the parts in the cache and compare its sha256")
    .action(verify);

program.parseAsync().catch((error: unknown) => {
    process.stderr.write(
        `${error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
});
