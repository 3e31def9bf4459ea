#!/usr/bin/env bash
# Runs one virtual machine until it is powered off or its cgroup is ended. A reboot of the machine is QEMU's business and not seen here.
#   supervisor.sh SETTINGS    a file of shell variables, written by the driver
set -euo pipefail
# shellcheck source=/dev/null
. "$1"
: "${CGROUPS[@]}" "${ADDRESSES[@]}" "${QEMU[@]}"
: "$BRIDGE" "$HARDWARE_ADDRESS" "$ALIAS" "$MONITOR"
# Empty where the machine is plugged into a switch that is no interface.
: "$INTERFACE"

enter_cgroups() {
    local cgroup
    # Where systemd gives out the cgroup, this process is in it already.
    for cgroup in "${CGROUPS[@]}"; do
        echo "$BASHPID" >"$cgroup/cgroup.procs"
    done
}

delete_network() {
    if [ -n "$INTERFACE" ] && [ -e "/sys/class/net/$INTERFACE" ]; then ip link delete "$INTERFACE" 2>/dev/null || true; fi
}

create_network() {
    if [ -z "$INTERFACE" ]; then return; fi
    delete_network
    # The host needn't ask for the machine's hardware address: it may have asked too early, and would wait a second to ask again.
    ip -batch - <<BATCH
tuntap add dev $INTERFACE mode tap
link set $INTERFACE alias $ALIAS master $BRIDGE up
neighbour replace ${ADDRESSES[0]%/*} lladdr $HARDWARE_ADDRESS dev $BRIDGE nud reachable
BATCH
}

main() {
    local status=0
    enter_cgroups
    create_network
    rm -f "$MONITOR"
    "${QEMU[@]}" </dev/null || status=$?
    rm -f "$MONITOR"
    delete_network
    echo "the machine ended with status $status"
    exit "$status"
}

# Read to its end before it runs: this file may be replaced meanwhile.
main
