#!/usr/bin/env bash
# Runs on a machine as long as somebody reads: prints units, addresses and routes when they change, and a line each second.
# Arguments: names of units. parseMachineReport() of machine-report.ts reads what it prints.
set -uo pipefail
export LC_ALL=C

readonly PROPERTIES=Id,LoadState,ActiveState,NRestarts,StateChangeTimestamp

static_pods() {
    local file name
    for file in /etc/kubernetes/manifests/*.yaml; do
        [ -e "$file" ] || continue
        name=${file##*/}
        name=${name%.yaml}
        # The kernel keeps 15 characters of a process's name.
        echo "$name $(pgrep -cx "${name:0:15}")"
    done
}

# Prints a part where it is not as it was: its name and its lines.
declare -A last=()
part() {
    if [ "${last[$1]-none}" != "$2" ]; then
        last[$1]=$2
        printf -- '--- %s\n%s\n' "$1" "$2"
        changed=yes
    fi
}

turn=0
while :; do
    changed=no
    part units "$(systemctl show --timestamp=us+utc --property="$PROPERTIES" "$@")"
    part static-pods "$(static_pods)"
    if ((turn++ % 2 == 0)); then
        # Not from /sys, which a container has of its host.
        part bridges "$(ip -j link show type bridge)"
        part addresses "$(ip -j -4 address show)"
        part routes "$(ip -j -4 route show)"
    fi
    [ "$changed" = no ] || echo '--- end'
    # Also finds out that nobody reads any more.
    echo '--- alive' || exit 0
    sleep 1
done
