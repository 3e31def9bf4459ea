import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";

const REPOSITORY = join(__dirname, "../..");

/** Copies the files of a checkout that git knows, and new ones. */
const COPY =
    'git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$1"';

/** Makes a directory a copy of this checkout, which uses its Node.js packages. */
export function copyCheckout(directory: string): void {
    execFileSync("bash", ["-euo", "pipefail", "-c", COPY, "bash", directory], { cwd: REPOSITORY });
    symlinkSync(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
}
