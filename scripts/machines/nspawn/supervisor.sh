#!/usr/bin/env bash
# Runs one machine until it is powered off or its cgroup is ended. Each boot has a network namespace, mounts and a cgroup of its
# own, so that a reboot leaves as little behind as on a real machine.
#   supervisor.sh SETTINGS    a file of shell variables, written by the driver
set -euo pipefail
# shellcheck source=/dev/null
. "$1"
: "${CGROUPS[@]}" "${ADDRESSES[@]}" "${NSPAWN[@]}"
: "$NAMESPACE" "$BRIDGE" "$BRIDGE_NAMESPACE" "$INTERFACE" "$HARDWARE_ADDRESS" "$ALIAS" "$GATEWAY" "$ROOT" "$OVERLAY"

# systemd-nspawn's status when the machine asks for a reboot and --keep-unit is given
readonly REBOOT=133

enter_cgroup() {
    local cgroup
    for cgroup in "${CGROUPS[@]}"; do
        echo "$BASHPID" >"$cgroup/$1/cgroup.procs"
    done
}

# make_directories PATH...: those that are missing.
make_directories() {
    local directory missing=()
    for directory; do
        if [ ! -d "$directory" ]; then missing+=("$directory"); fi
    done
    if [ "${#missing[@]}" -gt 0 ]; then mkdir -p "${missing[@]}"; fi
}

create_cgroups() {
    local cgroup controller
    make_directories "${CGROUPS[@]/%//supervisor}"
    enter_cgroup supervisor
    for cgroup in "${CGROUPS[@]}"; do
        if [ -e "$cgroup/cgroup.subtree_control" ]; then
            for controller in $(<"$cgroup/cgroup.controllers"); do
                echo "+$controller" >"$cgroup/cgroup.subtree_control"
            done
        fi
    done
}

# The machine's own cgroup, without its containers' of the boot before. (Nothing can enter a v2 cgroup that has children.)
renew_cgroups() {
    local cgroup old=()
    for cgroup in "${CGROUPS[@]}"; do
        if compgen -G "$cgroup/machine/*/" >/dev/null; then old+=("$cgroup/machine"); fi
    done
    if [ "${#old[@]}" -gt 0 ]; then find "${old[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    make_directories "${CGROUPS[@]/%//machine}"
}

# ip where the bridge is: on the host, or in a network namespace that plays a router.
ip_at_bridge() {
    if [ -n "$BRIDGE_NAMESPACE" ]; then ip -n "$BRIDGE_NAMESPACE" "$@"; else ip "$@"; fi
}

delete_network() {
    if [ -n "$BRIDGE_NAMESPACE" ] || [ -e "/sys/class/net/$INTERFACE" ]; then ip_at_bridge link delete "$INTERFACE" 2>/dev/null || true; fi
    if [ -e "/run/netns/$NAMESPACE" ]; then ip netns delete "$NAMESPACE" 2>/dev/null || true; fi
}

create_network() {
    delete_network
    # `ip -n` works in mounts of its own: the name of a namespace that is added there is seen nowhere else.
    if [ -n "$BRIDGE_NAMESPACE" ]; then ip netns add "$NAMESPACE"; fi
    {
        if [ -z "$BRIDGE_NAMESPACE" ]; then echo "netns add $NAMESPACE"; fi
        echo "link add $INTERFACE type veth peer name eth0 address $HARDWARE_ADDRESS netns $NAMESPACE"
        echo "link set $INTERFACE alias $ALIAS master $BRIDGE up"
        # The host needn't ask for the machine's hardware address: it may have asked too early, and would wait a second to ask again.
        echo "neighbour replace ${ADDRESSES[0]%/*} lladdr $HARDWARE_ADDRESS dev $BRIDGE nud reachable"
    } | ip_at_bridge -batch -
    {
        echo "link set lo up"
        echo "link set eth0 up"
        printf 'address add %s dev eth0\n' "${ADDRESSES[@]}"
        echo "route add default via $GATEWAY"
    } | ip -n "$NAMESPACE" -batch -
}

boot() (
    enter_cgroup machine
    # The machine writes to its own /sys and /proc/sys/net; early-boot on it sees to what is the host's.
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=1
    # The mounts are in a namespace of their own and so end with the machine, with what systemd-nspawn keeps in files.
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec unshare --mount --propagation slave -- bash -euc '
        [ -d /run/systemd/nspawn ] || mkdir -p /run/systemd/nspawn
        mount -t tmpfs -o mode=0700 tmpfs /run/systemd/nspawn
        mount -t overlay -o "$1" overlay "$2"
        shift 2
        exec "$@"' boot "$OVERLAY" "$ROOT" "${NSPAWN[@]}"
)

main() {
    local status=$REBOOT
    create_cgroups
    while [ "$status" -eq "$REBOOT" ]; do
        renew_cgroups
        create_network
        status=0
        boot || status=$?
    done
    delete_network
    echo "the machine ended with status $status"
    exit "$status"
}

# Read to its end before it runs: this file may be replaced meanwhile.
main
