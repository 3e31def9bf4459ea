import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../support/errors";
import { run, runInTerminal } from "./run";

/** Commands that a local lab needs on this host, and the Debian and Ubuntu packages that have them. */
const LOCAL_LAB: readonly (readonly [command: string, packageName: string])[] = [
    ["systemd-nspawn", "systemd-container"],
    ["mmdebstrap", "mmdebstrap"],
    ["ip", "iproute2"],
    ["nft", "nftables"],
    ["iptables", "iptables"],
    ["ssh", "openssh-client"],
    ["tar", "tar"],
    ["zstd", "zstd"],
    ["curl", "curl"],
    ["flock", "util-linux"],
];

/** What the tests need beside a lab. */
const TESTS: readonly (readonly [command: string, packageName: string])[] = [
    ["shellcheck", "shellcheck"],
    ["openssl", "openssl"],
];

export type Purpose = "local lab" | "tests";

/**
 * Sees to the programs that `purpose` needs: installs what is missing with apt-get.
 *
 * @throws UserError with everything that is missing and the command that gets it, where it can't be installed from here.
 */
export async function ensurePrerequisites(purpose: Purpose, progress: (line: string) => void): Promise<void> {
    const wanted = purpose === "tests" ? [...LOCAL_LAB, ...TESTS] : LOCAL_LAB;
    const missing = wanted.filter(([command]) => !isOnPath(command));
    if (missing.length === 0) {
        return;
    }
    const packages = [...new Set(missing.map(([, name]) => name))];
    const install = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
    const commands = missing.map(([command]) => command).join(", ");
    if (process.getuid?.() !== 0 || !isOnPath("apt-get")) {
        throw new UserError(`Missing here: ${commands}. On Debian and Ubuntu, as root: ${install}`);
    }
    progress(`installing ${packages.join(", ")} (for ${commands})`);
    const update = await run(["apt-get", "update", "--quiet"]);
    const code = await runInTerminal(["sh", "-c", `${install} --quiet >&2 </dev/null`], {
        DEBIAN_FRONTEND: "noninteractive",
    });
    if (code !== 0) {
        throw new UserError(
            `'${install}' failed. ${update.code === 0 ? "" : `So did 'apt-get update': ${update.stderr.trim()}`}`,
        );
    }
}

function isOnPath(command: string): boolean {
    const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
    return directories.some((directory) => existsSync(join(directory, command)));
}
