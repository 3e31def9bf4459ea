import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { extrasOf } from "../../../components/steps/parts/request";
import { type DriverName, DRIVERS } from "../../machines/choose-driver";
import { rootfsPath } from "../../machines/rootfs";
import { rootfsDigest } from "../../machines/rootfs-recipe";
import { fullKey, readProject, readYaml } from "../../engine/project";
import { cachedCli, pinnedCliVersion } from "../../engine/cli";
import { compareGoVersions } from "../../parts/build/toolchain";
import { findParts } from "../../parts";
import type { GetRequest } from "../../parts/contract";
import { RECIPE_DIRECTORY } from "../../parts/recipe-digest";
import { cacheDirectory } from "../../support/paths";
import type { LocalNetworking } from "../../../components/cluster-spec/types";
import { PORTS } from "../../../components/cluster-spec/ports";

export type PartsSource = "auto" | "build" | "download" | "directory";

/** The facts of the planned lab that the doctor needs. */
export interface PlannedLab {
    readonly name: string;
    readonly stack: string;
    /** Where its machines come from; only local ones are made of this host. */
    readonly provider: string;
    /** Number of machines. */
    readonly nodes: number;
    /** IPv4 CIDR of the machines. */
    readonly network: string;
    readonly registryPort: number;
    /** What is to make the machines of each role. */
    readonly drivers: Readonly<Record<"controlPlanes" | "workers", DriverName | "auto">>;
    /** What is to connect them: a bridge is root's. */
    readonly networking: LocalNetworking;
    readonly cache: string;
    readonly rootfsCached: boolean;
    readonly parts: {
        readonly source: PartsSource;
        readonly cached: boolean;
        /** The Go version that a build needs, e.g. `1.26.6`. */
        readonly go: string;
    };
    readonly repository: string;
    /** Whether the Pulumi CLI that goes with this program is there already. */
    readonly cliCached: boolean;
}

/**
 * Reads a stack's config as far as the doctor needs it. It does not validate the config: an unusable value gets its
 * default, and the program reports it.
 *
 * @param overrides config of this run, by full key.
 */
export async function plannedLab(
    repository: string,
    stack: string,
    overrides: Readonly<Record<string, string>>,
): Promise<PlannedLab> {
    const project = readProject(repository).name;
    const content = readYaml(join(repository, `Pulumi.${stack}.yaml`))["config"];
    const entries = Object.entries({ ...asMap(content), ...overrides });
    const config = new Map(entries.map(([key, value]) => [fullKey(key, project), value]));
    const get = (key: string): unknown => config.get(`${project}:${key}`);
    const local = asMap(get("local"));
    const parts = asMap(get("parts"));
    const source = (["build", "download", "directory"] as const).find((each) => each === parts["source"]) ?? "auto";
    return {
        name: text(get("name")) ?? stack,
        stack,
        provider: text(get("provider")) ?? "local",
        nodes: count(get("controlPlanes"), 1) + count(get("workers"), 2),
        network: range(local["network"]) ?? "10.240.0.0/24",
        registryPort: count(local["registryPort"], PORTS.registry),
        drivers: driversOf(local["driver"]),
        networking: local["networking"] === "user" ? "user" : "bridge",
        cache: cacheDirectory(),
        rootfsCached: existsSync(rootfsPath(rootfsDigest())),
        parts: {
            source,
            cached: await partsCached({
                source,
                directory: text(parts["directory"]),
                versions: asMap(get("versions")) as Readonly<Record<string, string>>,
                extras: extrasOf({
                    hosting: text(get("hosting")) === "static-pods" ? "static-pods" : "systemd",
                    network: text(get("network")) === "cni" ? "cni" : "kubenet",
                    cniPlugin: text(get("cniPlugin")) === "flannel" ? "flannel" : "kube-router",
                }),
            }),
            go: neededGo(),
        },
        repository,
        cliCached: existsSync(cachedCli(pinnedCliVersion())),
    };
}

async function partsCached(request: GetRequest): Promise<boolean> {
    try {
        return (await findParts(request, () => undefined)) !== undefined;
    } catch {
        // Whoever gets the parts says what is wrong with the request.
        return false;
    }
}

/** The newest `go` line among the go.mod files. */
function neededGo(): string {
    const projects = readdirSync(join(RECIPE_DIRECTORY, "go"));
    return projects
        .map((name) => readFileSync(join(RECIPE_DIRECTORY, "go", name, "go.mod"), "utf8"))
        .map((module) => /^go (\S+)$/m.exec(module)?.[1] ?? "1.21")
        .reduce((newest, line) => (compareGoVersions(line, newest) > 0 ? line : newest), "1.21");
}

function driversOf(setting: unknown): PlannedLab["drivers"] {
    const of = (value: unknown): DriverName | "auto" => DRIVERS.find((each) => each === value) ?? "auto";
    const { controlPlanes, workers } = asMap(setting);
    return typeof setting === "string" && !setting.startsWith("{")
        ? { controlPlanes: of(setting), workers: of(setting) }
        : { controlPlanes: of(controlPlanes), workers: of(workers) };
}

/** A map, which may be JSON as on the command line; empty where it is something else. */
function asMap(value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === "string") {
        try {
            return asMap(JSON.parse(value) as unknown);
        } catch {
            return {};
        }
    }
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
    return typeof value === "string" && value !== "" ? value : undefined;
}

function range(value: unknown): string | undefined {
    return typeof value === "string" && ipaddr.IPv4.isValidCIDR(value) ? value : undefined;
}

function count(value: unknown, fallback: number): number {
    const number = Number(value ?? fallback);
    return Number.isInteger(number) && number >= 0 ? number : fallback;
}
