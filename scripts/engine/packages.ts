import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ServedPackage, serveProviders, type ServedProviders } from "../providers/server";
import { repositoryRoot } from "../support/paths";
import { programOnPath } from "./cli";

/** The packages that this repository has providers of its own for. */
const OWN = ["command", "random", "tls"] as const;

const further: ServedPackage[] = [];

/** Serves one more package in place of its plugin, for tests. */
export function serveInsteadOfPlugin(served: ServedPackage): void {
    further.push(served);
}

/** Serves the packages whose official plugins aren't installed. */
export async function serveMissingPackages(): Promise<ServedProviders & { readonly hasPlugins: boolean }> {
    const missing = OWN.filter((name) => !isInstalled(name, sdkVersion(name)));
    const packages = await Promise.all(missing.map(ownPackage));
    const served = await serveProviders([...packages, ...further]);
    return { ...served, hasPlugins: missing.length < OWN.length };
}

async function ownPackage(name: (typeof OWN)[number]): Promise<ServedPackage> {
    const version = sdkVersion(name);
    switch (name) {
        case "command":
            return { name, version, provider: (await import("../providers/command")).command };
        case "random":
            return { name, version, provider: (await import("../providers/random")).random };
        case "tls":
            return { name, version, provider: (await import("../providers/tls")).tls };
    }
}

/** The version of a package's SDK, which asks for the plugin of the same version. */
export function sdkVersion(name: string): string {
    const file = join(repositoryRoot(), "node_modules/@pulumi", name, "package.json");
    return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

/** https://www.pulumi.com/docs/iac/concepts/plugins/ */
function isInstalled(name: string, version: string): boolean {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const file = join(home, `plugins/resource-${name}-v${version}/pulumi-resource-${name}`);
    return existsSync(file) || programOnPath(`pulumi-resource-${name}`) !== undefined;
}
