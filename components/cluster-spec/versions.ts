import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Versions } from "./types";

/** The file that pins the default versions; the parts are built from the same one. */
export const PINNED_VERSIONS_FILE = join(__dirname, "../../scripts/parts/parts.yaml");

export const VERSIONED_PARTS = [
    "kubernetes",
    "etcd",
    "containerd",
    "runc",
    "cniPlugins",
    "coredns",
    "pause",
    "flannel",
    "kubeRouter",
] as const satisfies readonly (keyof Versions)[];

/**
 * The default version of every part: the `versions` map of the parts file.
 *
 * @throws Error where the file can't be read or lacks one of them.
 */
export function readPinnedVersions(file: string = PINNED_VERSIONS_FILE): Versions {
    const { versions } = parse(readFileSync(file, "utf8")) as { readonly versions?: Record<string, unknown> };
    const pinned = VERSIONED_PARTS.map((part) => {
        const version = versions?.[part];
        if (typeof version !== "string") {
            throw new Error(`${file}: versions.${part} is missing or isn't a text; pin it as a quoted version`);
        }
        return [part, version] as const;
    });
    return Object.fromEntries(pinned) as unknown as Versions;
}
