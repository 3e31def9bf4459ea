import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { Versions } from "./types";
import { VERSIONED_PARTS } from "./versions";

/** The oldest minor version that has every flag and API that kubelab uses: `apiserver.config.k8s.io/v1` (KEP-3331) is of 1.34. */
const OLDEST_KUBERNETES = 34;
const SKEW_POLICY = "https://kubernetes.io/releases/version-skew-policy/";

/** The pages of the rules that say which version may follow which. */
export const UPGRADE_RULES = { kubernetes: SKEW_POLICY, etcd: "https://etcd.io/docs/v3.6/upgrades/" } as const;

/** Parts whose data or peers tie a running cluster to its version. */
export type RunningVersions = Partial<Pick<Versions, "kubernetes" | "etcd">>;

/** What is wrong with the versions that the config asks for, whether or not a cluster is running. */
export function checkVersions({ versions, parts }: Partial<Config>, pinned: Versions): Problem[] {
    if (versions === undefined) {
        return [];
    }
    return VERSIONED_PARTS.flatMap((part) => {
        const value = versions[part];
        if (value === undefined || value === pinned[part]) {
            return [];
        }
        const key = `versions.${part}`;
        const wrong = refuse(part, value, pinned[part]);
        if (wrong !== undefined) {
            return [{ key, value, ...wrong }];
        }
        const problem = `can't be built: the source "build" makes the pinned ${pinned[part]} only`;
        const remedy = 'remove it, or set kubelab:parts.source to "download" or "directory"';
        return parts?.source === "build" ? [{ key, value, problem, remedy }] : [];
    });
}

function refuse(part: keyof Versions, value: string, pinned: string): Pick<Problem, "problem" | "remedy"> | undefined {
    const [major, minor] = numbers(value);
    const [pinnedMajor, pinnedMinor] = numbers(pinned);
    const remedy =
        part === "kubernetes"
            ? `use 1.${OLDEST_KUBERNETES} to 1.${pinnedMinor}: ${SKEW_POLICY}`
            : `use ${pinnedMajor}.x, e.g. the pinned ${pinned}`;
    if (major !== pinnedMajor) {
        return { problem: `is another major version than the pinned ${pinned}, which kubelab is written for`, remedy };
    }
    if (part === "kubernetes" && minor > pinnedMinor) {
        return { problem: `is newer than 1.${pinnedMinor}, the newest that kubelab is written for`, remedy };
    }
    if (part === "kubernetes" && minor < OLDEST_KUBERNETES) {
        return { problem: "lacks flags and APIs that kubelab uses", remedy };
    }
    return undefined;
}

/**
 * Versions that a running cluster can't go to: upstream supports the next minor version of Kubernetes and of etcd, and no older one.
 * https://kubernetes.io/releases/version-skew-policy/, https://etcd.io/docs/v3.6/upgrades/
 */
export function refuseVersionSkew(running: RunningVersions, next: RunningVersions): Problem[] {
    return (["kubernetes", "etcd"] as const).flatMap((part) => {
        const [was, value] = [running[part], next[part]];
        if (was === undefined || value === undefined) {
            return [];
        }
        const [major, minor] = numbers(was);
        const [wantedMajor, wantedMinor] = numbers(value);
        if (major === wantedMajor && [minor, minor + 1].includes(wantedMinor)) {
            return [];
        }
        const older = wantedMajor < major || (wantedMajor === major && wantedMinor < minor);
        const problem = older
            ? `is older than the ${was} that is running, and what that has stored may be unreadable to it`
            : `skips minor versions after the ${was} that is running`;
        const remedy = `use ${major}.${minor} or ${major}.${minor + 1}: ${UPGRADE_RULES[part]}, or destroy the cluster first`;
        return [{ key: `versions.${part}`, value, problem, remedy }];
    });
}

/** `1.36` of `1.36.3`. */
export function minorOf(version: string): string {
    return numbers(version).join(".");
}

/** Major and minor. */
function numbers(version: string): readonly [number, number] {
    const [major = "", minor = ""] = version.split(".");
    return [Number(major), Number(minor)];
}
