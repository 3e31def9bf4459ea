#!/usr/bin/env bash
# Prints what a machine has of the cluster's parts: units with their last log lines, static pods, CNI configuration, packet filter, routes,
# rules of the service proxy, and whether addresses answer. Changes nothing. Set before it, as arrays:
#   units    names of units
#   words    texts; lines of a log with one of them are printed apart from its last lines
#   targets  ADDRESS:PORT of TCP servers to connect to
# The output has a line `=== NAME` before each section, and a blank before each line of one.
set -euo pipefail
shopt -s nullglob
declare -a units words targets

LINES_READ=3000
ERRORS='[]:]: [EF][0-9]{4} |level=(error|fatal)|"level":"(error|fatal)"|F [EF][0-9]{4} |panic:'

section() {
    printf '=== %s\n' "$*"
}

# show COMMAND…: what it prints; nothing where it isn't there or fails.
show() {
    { "$@" 2>/dev/null </dev/null || true; } | sed 's/^/ /'
}

# log NAME TEXT: three sections of a log.
log() {
    local options=() word
    for word in "${words[@]}"; do options+=(-e "$word"); done
    section "last $1"
    tail -n 4 <<<"$2" | sed 's/^/ /'
    section "errors $1"
    { grep -E "$ERRORS" <<<"$2" || true; } | tail -n 3 | sed 's/^/ /'
    section "about $1"
    if [ ${#options[@]} -gt 0 ]; then
        { grep -F "${options[@]}" <<<"$2" || true; } | tail -n 6 | sed 's/^/ /'
    fi
}

properties=Id,LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,NRestarts,ActiveEnterTimestamp,InactiveEnterTimestamp
for unit in "${units[@]}"; do
    section "unit $unit"
    show systemctl show --property="$properties" "$unit"
    if [ "$(systemctl show -P LoadState "$unit")" != not-found ]; then
        log "$unit" "$(journalctl -q -u "$unit" -n "$LINES_READ" --no-pager -o short-iso || true)"
    fi
done

for file in /etc/kubernetes/manifests/*.yaml; do
    name=$(basename "$file" .yaml)
    section "pod $name"
    # The kernel keeps fifteen characters of a name.
    show pgrep -cx "${name:0:15}"
    logs=(/var/log/pods/kube-system_"$name"-*/*/*.log)
    if [ ${#logs[@]} -gt 0 ]; then
        # shellcheck disable=SC2012 # the kubelet chooses the names
        newest=$(ls -t "${logs[@]}" | head -n 1)
        log "$name" "$(tail -n "$LINES_READ" "$newest")"
    fi
done

for file in /etc/cni/net.d/*.{conf,conflist,json}; do
    section "cni $file"
    show cat "$file"
done
section filter
show iptables-save -t filter
section routes
show ip -4 route show
section addresses
show ip -4 -o address show
section nftables
show nft list table ip kube-proxy
section nat
show iptables-save -t nat
section ipvs
show cat /proc/net/ip_vs

answer() {
    local said code=0
    said=$(timeout 2 bash -c ": </dev/tcp/${1%:*}/${1##*:}" 2>&1 </dev/null) || code=$?
    case $code,$said in
    0,*) echo open ;;
    124,*) echo timeout ;;
    *refused*) echo refused ;;
    *) echo unreachable ;;
    esac
}
for target in "${targets[@]}"; do
    # One line, since another may come between two.
    printf '=== answer %s %s\n' "$target" "$(answer "$target")" &
done
wait
section end
