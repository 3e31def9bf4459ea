import { spawn, spawnSync } from "node:child_process";
import { endingWithParent } from "../support/ends-with-parent";
import { UserError } from "../support/errors";
import { cacheDirectory } from "../support/paths";
import { AS_ROOT } from "./names";
import { requireSubordinateIds } from "./user-namespace";
import { LEFT_OUT, type Release } from "./rootfs-recipe";

/** What mmdebstrap is asked for. */
export interface Debootstrap {
    /** Directory to be made, by root; by another user, the tar archive of it. */
    readonly root: string;
    readonly release: Release;
    readonly packages: readonly string[];
    /** Command lines that run when the packages are there; of their environment, `MMDEBSTRAP_APT_CONFIG` is for apt. */
    readonly hooks?: readonly string[];
}

/**
 * Makes a Debian root file system from this host's own package sources.
 *
 * @param progress is told each of mmdebstrap's steps.
 * @throws UserError with the last lines of its log when it fails.
 */
export async function mmdebstrap(
    { root, release, packages, hooks = [] }: Debootstrap,
    progress: (line: string) => void,
): Promise<void> {
    if (!AS_ROOT) {
        requireSubordinateIds();
    }
    const sources = hostSources(release);
    const args = [
        ...(AS_ROOT ? ["--mode=root", "--format=directory"] : ["--mode=unshare", "--format=tar"]),
        "--variant=minbase",
        ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
        `--include=${packages.join(",")}`,
        ...hooks.map((hook) => `--customize-hook=${hook}`),
        release,
        root,
        ...(sources.length > 0 ? ["-"] : []),
    ];
    // It removes its mounts at SIGTERM.
    const [file, ...words] = endingWithParent(["mmdebstrap", ...args]);
    const child = spawn(file, words, { stdio: ["pipe", "ignore", "pipe"] });
    child.stdin.end(sources.join("\n"));
    const log: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        for (const line of chunk.split("\n").filter((text) => text !== "")) {
            log.push(line);
            const step = /^I: (.*)$/.exec(line)?.[1];
            if (step !== undefined) {
                progress(step);
            }
        }
    });
    const code = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject).on("close", resolve);
    });
    if (code !== 0) {
        throw new UserError(
            `mmdebstrap couldn't build a root file system for machines (exit ${code}). Can this host's own apt sources be reached ` +
                `(apt-get update), and is there room below ${cacheDirectory()}? Its last lines:\n${log.slice(-15).join("\n")}`,
        );
    }
}

/** Debian's entries for the release among this host's apt sources; none leaves the choice to mmdebstrap. */
function hostSources(release: Release): string[] {
    const format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(SIGNED_BY)";
    const result = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
        encoding: "utf8",
    });
    return sourceLines(result.status === 0 ? result.stdout : "", release);
}

/** apt's one-line entries from lines `uri|release|component|origin|signed-by`; apt leaves what is unset as `$(NAME)`. */
export function sourceLines(targets: string, suite: string): string[] {
    const suites = [suite, `${suite}-updates`, `${suite}-security`];
    const lines = targets.split("\n").flatMap((line) => {
        const [uri = "", release = "", component = "", origin = "", signedBy = ""] = line.split("|");
        const debian = origin === "Debian" || origin === "" || origin.startsWith("$(");
        if (!debian || component !== "main" || !suites.includes(release)) {
            return [];
        }
        const options = signedBy.startsWith("/") ? `[signed-by=${signedBy}] ` : "";
        return [`deb ${options}${uri} ${release} ${component}`];
    });
    return lines.some((line) => line.endsWith(` ${suite} main`)) ? [...new Set(lines)] : [];
}
