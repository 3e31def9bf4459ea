import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `$KUBELAB_CACHE`, else `$XDG_CACHE_HOME/kubelab`, else `~/.cache/kubelab`: what can be made again. */
export function cacheDirectory(): string {
    return process.env["KUBELAB_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "kubelab");
}

/** The checkout this program runs from. */
export function repositoryRoot(): string {
    return resolve(__dirname, "../..");
}
