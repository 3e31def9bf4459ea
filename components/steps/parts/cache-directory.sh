# shellcheck shell=bash
# cache_directory: where parts are on this host, as `cacheDirectory` of scripts/support/paths.ts tells. Bash takes ~ for the user's own
# home directory where HOME isn't set.
cache_directory() (
    if [ -n "${KUBELAB_CACHE:-}" ]; then
        realpath -ms -- "$KUBELAB_CACHE"
        exit
    fi
    if [[ ${HOME:-} != /* ]]; then
        unset HOME
        HOME=~
    fi
    cache=${XDG_CACHE_HOME:-}
    if [[ $cache != /* ]]; then cache=$HOME/.cache; fi
    printf '%s\n' "$cache/kubelab"
)
