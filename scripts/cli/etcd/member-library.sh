# shellcheck shell=bash disable=SC2034 # those that follow it use its names
# What scripts that are sent to a control plane about its member of etcd have in common; they follow it.
set -euo pipefail
PATH=/usr/local/bin:/usr/sbin:/sbin:$PATH

DATA=/var/lib/etcd/member
PODS=/etc/kubernetes/manifests
# The manifests of static pods that are stopped.
AWAY=/var/lib/kubelab/stopped-pods
# In the order in which they start; not every control plane has all.
PROCESSES=(etcd kube-apiserver kube-controller-manager kube-scheduler node-approver)

fail() {
    echo "$*" >&2
    exit 1
}

# What follows is repeated until it succeeds, for so many seconds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= end)); then return 1; fi
        sleep 0.3
    done
}

# etcdctl on this machine's member.
ask() {
    etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key "$@"
}

# As `ask`, of a member that may not answer.
ask_soon() { ask --dial-timeout 2s --command-timeout 4s "$@"; }

is_gone() { ! pgrep -x "${1:0:15}" >/dev/null; }

is_pod() { [ -e "$PODS/$1.yaml" ] || [ -e "$AWAY/$1.yaml" ]; }

# stop_process NAME: stops a process that is a unit or a static pod, until start_process.
stop_process() {
    if is_pod "$1"; then
        if [ -e "$PODS/$1.yaml" ]; then
            mkdir -p "$AWAY"
            mv "$PODS/$1.yaml" "$AWAY/"
        fi
        within 120 is_gone "$1"
    elif systemctl --quiet is-enabled "$1" 2>/dev/null; then
        systemctl stop "$1"
    fi
}

start_process() {
    if [ -e "$AWAY/$1.yaml" ]; then
        mv "$AWAY/$1.yaml" "$PODS/"
    elif systemctl --quiet is-enabled "$1" 2>/dev/null; then
        systemctl start --no-block "$1"
    fi
}

# The control plane's processes on this machine, the last one first.
stop_all() {
    local index
    for ((index = ${#PROCESSES[@]} - 1; index >= 0; index--)); do
        stop_process "${PROCESSES[index]}" || return 1
    done
}

start_all() {
    local name
    for name in "${PROCESSES[@]}"; do start_process "$name"; done
}

# Without data, etcd doesn't start after this until `up` has made it a member: whatever else starts it would begin a second cluster.
await_others() { rm -f /etc/etcd/initial-cluster.env; }
