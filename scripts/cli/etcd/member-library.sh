# shellcheck shell=bash
# What scripts that are sent to a control plane about its member of etcd have in common; they follow it.
set -euo pipefail
PATH=/usr/local/bin:/usr/sbin:/sbin:$PATH

fail() {
    echo "$*" >&2
    exit 1
}

# etcdctl on this machine's member.
ask() {
    etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key "$@"
}
