import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { whyUnreachable } from "../parts/download/reachable";
import { type ServedPackage, serveProviders, type ServedProviders } from "../providers/server";
import { programOnPath } from "../support/ends-with-parent";
import { cacheDirectory, homeDirectory, repositoryRoot } from "../support/paths";
import { late } from "../support/late";

const execute = promisify(execFile);

/** Where the CLI gets plugins from. */
const PLUGIN_REGISTRY = "https://get.pulumi.com";
const REACHABLE_WITHIN_MS = 1_500;
const DAY_MS = 24 * 3600 * 1000;

/** The packages that this repository has providers of its own for. */
const OWN = ["command", "random", "tls"] as const;

const further: ServedPackage[] = [];

/** Serves one more package in place of its plugin, also of one that is installed; for tests. */
export function serveInsteadOfPlugin(served: ServedPackage): void {
    further.push(served);
}

/** Serves the packages whose official plugins aren't installed. */
export async function serveMissingPackages(): Promise<ServedProviders & { readonly hasPlugins: boolean }> {
    const needed = OWN.filter((name) => further.every((served) => served.name !== name));
    const missing = needed.filter((name) => !isInstalled(name, sdkVersion(name)));
    const packages = await Promise.all(missing.map(ownPackage));
    const served = await serveProviders([...packages, ...further]);
    return { ...served, hasPlugins: missing.length < needed.length };
}

/**
 * Installs the official plugins that are missing, where their registry can be reached. Where it can't, that is asked again a day later:
 * until then the providers of this repository serve.
 */
export async function installPlugins(cli: string, progress: (line: string) => void): Promise<void> {
    const missing = OWN.filter((name) => !isInstalled(name, sdkVersion(name)));
    const asked = join(cacheDirectory(), "pulumi/registry-asked");
    if (missing.length === 0 || (existsSync(asked) && Date.now() - statSync(asked).mtimeMs < DAY_MS)) {
        return;
    }
    writeFileSync(asked, "");
    if ((await whyUnreachable(PLUGIN_REGISTRY, REACHABLE_WITHIN_MS)) !== undefined) {
        return;
    }
    for (const name of missing) {
        progress(`installing Pulumi's plugin for ${name} ${sdkVersion(name)}`);
        try {
            await execute(cli, ["plugin", "install", "resource", name, sdkVersion(name)], { timeout: 300_000 });
        } catch (error) {
            progress(`it can't be installed: ${(error as Error).message.trim().split("\n").at(-1)}`);
        }
    }
}

/** The provider that this repository has for a package. */
export async function ownPackage(name: (typeof OWN)[number]): Promise<ServedPackage> {
    const version = sdkVersion(name);
    switch (name) {
        case "command":
            return {
                name,
                version,
                provider: (await late<typeof import("../providers/command")>(require, "../providers/command")).command,
            };
        case "random":
            return {
                name,
                version,
                provider: (await late<typeof import("../providers/random")>(require, "../providers/random")).random,
            };
        case "tls":
            return {
                name,
                version,
                provider: (await late<typeof import("../providers/tls")>(require, "../providers/tls")).tls,
            };
    }
}

/** The version of a package's SDK, which asks for the plugin of the same version. */
export function sdkVersion(name: string): string {
    const file = join(repositoryRoot(), "node_modules/@pulumi", name, "package.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

/** https://www.pulumi.com/docs/iac/concepts/plugins/ */
function isInstalled(name: string, version: string): boolean {
    const home = process.env["PULUMI_HOME"] || join(homeDirectory(), ".pulumi");
    const file = join(home, `plugins/resource-${name}-v${version}/pulumi-resource-${name}`);
    return existsSync(file) || programOnPath(`pulumi-resource-${name}`) !== undefined;
}
