# shellcheck shell=bash
# Asks the kernel for routes, and changes nothing. For each line `NAMESPACE DESTINATION SOURCE INTERFACE` of standard input, with `-` for
# what there is none of, prints one line of JSON: what `ip route get` says, the entry of the table it is from, or the kernel's refusal.
set -euo pipefail

routes() {
    local namespace destination source interface where query route entry
    while read -r namespace destination source interface; do
        where=()
        if [ "$namespace" != - ]; then where=(-n "$namespace"); fi
        query=("$destination")
        if [ "$source" != - ]; then query+=(from "$source"); fi
        if [ "$interface" != - ]; then query+=(iif "$interface"); fi
        if route=$(ip "${where[@]}" -json route get "${query[@]}" 2>&1); then
            entry=$(ip "${where[@]}" -json route get fibmatch "${query[@]}" 2>/dev/null) || entry='[]'
            printf '{"route":%s,"entry":%s}\n' "$route" "${entry:-[]}"
        else
            route=${route//[\"\\]/}
            printf '{"refused":"%s"}\n' "${route//$'\n'/ }"
        fi
    done
}
