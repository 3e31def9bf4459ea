# shellcheck shell=bash
# Between containers the kernel passes packets of up to 64 kB on whole, which no network card does: real ones are cut before they leave.
inject() {
    remember offload "$(ethtool -k eth0 | sed -n 's/^generic-segmentation-offload: \([a-z]*\).*/gso \1/p; s/^tcp-segmentation-offload: \([a-z]*\).*/tso \1/p' | tr '\n' ' ')"
    remember mtu "$(cat /sys/class/net/eth0/mtu)"
    ethtool -K eth0 tso off gso off
    if [ "$MACHINE" = "$WORKER" ]; then ip link set eth0 mtu "$(($(recall mtu) - 200))"; fi
}

undo() {
    local words
    if [ -n "$(recall mtu)" ]; then ip link set eth0 mtu "$(recall mtu)"; fi
    read -ra words <<<"$(recall offload)"
    if [ "${#words[@]}" -gt 0 ]; then ethtool -K eth0 "${words[@]}"; fi
    forget
}
