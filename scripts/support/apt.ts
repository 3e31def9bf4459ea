import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { UserError } from "./errors";
import type { Progress } from "./progress";

/** The command that a person would type. */
export function installCommand(packages: readonly string[]): string {
    return `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
}

/**
 * Installs Debian packages. What apt-get says is shown as one moving line, and whole where it fails.
 *
 * @throws UserError with the command, and all that it said.
 */
export async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
    progress(`installing ${packages.join(", ")}`);
    progress.now?.("apt-get update");
    const update = await aptGet(["update", "--quiet"], progress);
    const [, ...words] = installCommand(packages).split(" ");
    const install = await aptGet([...words, "--quiet"], progress);
    if (install.code !== 0) {
        const sources = update.code === 0 ? [] : ["So did 'apt-get update':", ...update.lines];
        throw new UserError([`'${installCommand(packages)}' failed:`, ...install.lines, ...sources].join("\n"));
    }
}

async function aptGet(
    words: readonly string[],
    progress: Progress,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    const lines: string[] = [];
    const child = spawn("apt-get", words, {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        stdio: ["ignore", "pipe", "pipe"],
    });
    for (const input of [child.stdout, child.stderr]) {
        // dpkg's percentages come with carriage returns.
        createInterface({ input }).on("line", (line) => {
            const text = line.split("\r").at(-1)?.trim() ?? "";
            if (text !== "") {
                lines.push(text);
                progress.now?.(text);
            }
        });
    }
    const code = await new Promise<number>((resolve) => {
        child.on("error", (error) => {
            lines.push(error.message);
            resolve(1);
        });
        child.on("close", (status) => resolve(status ?? 1));
    });
    return { code, lines };
}
