# shellcheck shell=bash
# Prints when the parts of this machine that set routes and rules last did, and changes nothing: lines `NAME SECONDS`, since 1970.
set -euo pipefail

for unit in kubenet cni-config systemd-networkd containerd; do
    # What it last logged: a start or a reload.
    last=$(journalctl --unit "$unit" --lines 1 --output short-unix --quiet 2>/dev/null | cut -d. -f1) || true
    if [[ $last =~ ^[0-9]+$ ]]; then printf '%s %s\n' "$unit" "$last"; fi
done
# https://kubernetes.io/docs/reference/instrumentation/metrics/: the last time that kube-proxy wrote its rules.
metrics=$(curl -s --max-time 3 http://127.0.0.1:10249/metrics 2>/dev/null) || true
synced=$(sed -nE 's/^kubeproxy_sync_proxy_rules_last_timestamp_seconds(\{ip_family="IPv4"\})? ([0-9.e+]+)$/\2/p' <<<"$metrics" | head -n 1)
if [ -n "$synced" ]; then printf 'kube-proxy %.0f\n' "$synced"; fi
# The first process's start: a container shares the kernel's.
printf 'boot %s\n' "$(stat -c %Y /proc/1)"
