import { userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * `$KUBELAB_CACHE`, else `$XDG_CACHE_HOME/kubelab`, else `~/.cache/kubelab`: what can be made again. An empty variable is as none, and
 * so is a relative XDG_CACHE_HOME (https://specifications.freedesktop.org/basedir-spec/latest/). components/steps/parts/cache-directory.sh
 * says the same to bash.
 */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
    const { KUBELAB_CACHE: own, XDG_CACHE_HOME: xdg } = environment;
    if (own) {
        return resolve(own);
    }
    return join(xdg && isAbsolute(xdg) ? xdg : join(homeDirectory(environment), ".cache"), "kubelab");
}

/** `$XDG_STATE_HOME/kubelab`, else `~/.local/state/kubelab`: what outlives a reboot, and can't be made again. */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
    const { XDG_STATE_HOME: xdg } = environment;
    return join(xdg && isAbsolute(xdg) ? xdg : join(homeDirectory(environment), ".local/state"), "kubelab");
}

/** `$HOME`, else what the system knows of the user: cron, systemd and containers may leave HOME out. */
export function homeDirectory({ HOME: home }: NodeJS.ProcessEnv = process.env): string {
    return home && isAbsolute(home) ? home : userInfo().homedir;
}

/** The checkout this program runs from. */
export function repositoryRoot(): string {
    return resolve(__dirname, "../..");
}
