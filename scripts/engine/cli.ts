import { execFile } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gte, SemVer } from "semver";
import { programOnPath } from "../support/ends-with-parent";
import { cacheDirectory, repositoryRoot } from "../support/paths";
import type { Progress } from "../support/progress";
import { whyUnreachable } from "../parts/download/reachable";
import { withLock } from "../parts/lock";
import { late } from "../support/late";

const execute = promisify(execFile);

/** A Pulumi CLI that can be used. */
export interface PulumiCli {
    readonly path: string;
    /** Without a `v`. */
    readonly version: string;
    /** Where it comes from, for people. */
    readonly origin: "on PATH" | "in the cache";
}

const INSTALLER = "https://get.pulumi.com";
const REACHABLE_WITHIN_MS = 1_500;

/** The version that goes with the SDK in package.json, the oldest that is used. */
export function pinnedCliVersion(): string {
    const text = readFileSync(join(repositoryRoot(), "package.json"), "utf8");
    return (JSON.parse(text) as { readonly dependencies: Readonly<Record<string, string>> }).dependencies[
        "@pulumi/pulumi"
    ] as string;
}

/**
 * The Pulumi CLI on PATH where it is new enough, else the pinned one in the cache.
 *
 * @param note says why the one on PATH isn't taken.
 */
export async function findCli(note: (line: string) => void): Promise<PulumiCli | undefined> {
    const pinned = pinnedCliVersion();
    const path = programOnPath("pulumi");
    if (path !== undefined) {
        const version = await versionOf(path);
        if (version !== undefined && gte(version, pinned)) {
            return { path, version, origin: "on PATH" };
        }
        const what = version === undefined ? "doesn't answer `pulumi version`" : `is Pulumi ${version}`;
        note(`${path} ${what}; this program needs ${pinned} or later and uses its own`);
    }
    const cached = cachedCli(pinned);
    return existsSync(cached) ? { path: cached, version: pinned, origin: "in the cache" } : undefined;
}

/**
 * The same; where there is none, gets the pinned version: by Pulumi's installer, or built from Go's module proxy where the installer
 * can't be reached.
 *
 * @throws UserError where neither is possible.
 */
export async function ensureCli(progress: Progress): Promise<PulumiCli> {
    const found = await findCli(progress);
    if (found !== undefined) {
        return found;
    }
    const version = pinnedCliVersion();
    const root = cachedRoot(version);
    mkdirSync(root, { recursive: true });
    return withLock(join(cacheDirectory(), "pulumi/.lock"), progress, async () => {
        const path = cachedCli(version);
        if (!existsSync(path)) {
            await getCli(root, version, progress);
        }
        return { path, version, origin: "in the cache" };
    });
}

async function getCli(root: string, version: string, progress: Progress): Promise<void> {
    const unreachable = await whyUnreachable(INSTALLER, REACHABLE_WITHIN_MS);
    if (unreachable === undefined) {
        progress(`installing Pulumi CLI ${version} into ${root}`);
        try {
            await install(root, version);
            return;
        } catch (error) {
            progress(
                `Pulumi's installer failed (${(error as Error).message.trim().split("\n")[0]}): building it from source`,
            );
        }
    } else {
        progress(`building Pulumi CLI ${version} from source, since ${unreachable}`);
    }
    const { buildCli } = await late<typeof import("./build-cli")>(require, "./build-cli");
    const built = await buildCli(version, progress);
    mkdirSync(join(root, "bin"), { recursive: true });
    linkSync(built, cachedCli(version));
}

/** https://www.pulumi.com/docs/iac/using-pulumi/automation-api/ */
async function install(root: string, version: string): Promise<void> {
    const { PulumiCommand } = await late<typeof import("@pulumi/pulumi/automation")>(
        require,
        "@pulumi/pulumi/automation",
    );
    await PulumiCommand.install({ root, version: new SemVer(version) });
}

function cachedRoot(version: string): string {
    return join(cacheDirectory(), "pulumi", version);
}

/** The program that `ensureCli` leaves in the cache. */
export function cachedCli(version: string): string {
    return join(cachedRoot(version), "bin/pulumi");
}

/** What `pulumi version` says, asked once for each file: it takes half a second. */
async function versionOf(path: string): Promise<string | undefined> {
    const { mtimeMs, size } = statSync(path);
    const key = `${path} ${size} ${mtimeMs}`;
    const file = join(cacheDirectory(), "pulumi/version-on-path.json");
    const known = readKnown(file);
    if (known.key === key) {
        return known.version;
    }
    try {
        const { stdout } = await execute(path, ["version"], {
            env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
            timeout: 30_000,
        });
        const version = stdout.trim().replace(/^v/, "");
        mkdirSync(join(cacheDirectory(), "pulumi"), { recursive: true });
        writeFileSync(file, JSON.stringify({ key, version }));
        return version;
    } catch {
        return undefined;
    }
}

function readKnown(file: string): { readonly key?: string; readonly version?: string } {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as { readonly key?: string; readonly version?: string };
    } catch {
        return {};
    }
}
