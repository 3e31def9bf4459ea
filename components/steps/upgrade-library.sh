# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# What surrounds a change of programs on a machine that is part of a cluster: nothing is lost by it, and no pod is on the node meanwhile.
# A step that asks the API defines admin_kubectl: kubectl with the rights of an administrator.

# On a node that a rollout has cordoned. One that somebody else had cordoned hasn't it, and stays cordoned.
rollout_mark=kubelab/cordoned-for-rollout

# node_state NODE: sets $node_kubelet and $node_runtime, the versions that the node reports, without a "v"; $node_cordoned and
# $node_marked, empty or not.
node_state() {
    local said
    said=$(admin_kubectl --request-timeout=10s get node "$1" -o go-template='{{with .status.nodeInfo}}{{.kubeletVersion}} {{.containerRuntimeVersion}}{{end}} {{if .spec.unschedulable}}cordoned{{end}},{{with .metadata.annotations}}{{if index . "'"$rollout_mark"'"}}marked{{end}}{{end}}' 2>&1) || {
        node_said=$said
        return 1
    }
    read -r node_kubelet node_runtime said <<<"$said"
    node_kubelet=${node_kubelet#v} node_runtime=${node_runtime#containerd://} node_cordoned=${said%%,*} node_marked=${said##*,}
    node_runtime=${node_runtime#v}
}

# drain_node NODE KUBELET CONTAINERD SECONDS: before a kubelet or containerd becomes of these versions, the node is cordoned, and its pods
# are evicted as their disruption budgets allow. If that doesn't succeed in time, the node is what it was before.
drain_node() {
    local node=$1 seconds=$4 said=''
    # It isn't a node of the cluster yet, or its last change came to its end with these versions.
    if [ ! -e "$state/record/$node-node" ]; then return 0; fi
    if [ -e "$state/node-versions/$node" ] && [ "$(<"$state/node-versions/$node")" = "$2 $3" ]; then return 0; fi
    within 60 node_state "$node" || fail "the API doesn't say what runs on $node: ${node_said##*$'\n'}"
    if [ "$node_kubelet $node_runtime" = "$2 $3" ]; then return 0; fi
    rm -f "$state/node-versions/$node"
    if [ -z "$node_cordoned" ]; then
        admin_kubectl patch node "$node" -p '{"metadata":{"annotations":{"'"$rollout_mark"'":"true"}},"spec":{"unschedulable":true}}' >/dev/null
    fi
    if said=$(admin_kubectl drain "$node" --ignore-daemonsets --delete-emptydir-data --timeout="${seconds}s" 2>&1); then return 0; fi
    uncordon_node "$node"
    fail "$node is not drained after $seconds seconds, so nothing has changed on it:
$(grep -E '^error|cannot |Cannot ' <<<"$said" | sort -u | tail -n 20)
'kubectl get pdb -A' shows the disruption budgets. Change what stands in the way and run 'up' again, or set kubelab:versions back"
}

# uncordon_node NODE: makes it schedulable again where a rollout has cordoned it.
uncordon_node() {
    within 60 node_state "$1" || fail "the API doesn't say whether $1 is cordoned: ${node_said##*$'\n'}"
    if [ -z "$node_marked" ]; then return 0; fi
    admin_kubectl patch node "$1" -p '{"metadata":{"annotations":{"'"$rollout_mark"'":null}},"spec":{"unschedulable":null}}' >/dev/null
}

# note_node NODE KUBELET CONTAINERD: the node has come to these versions.
note_node() {
    if [ ! -d "$state/node-versions" ]; then mkdir -p "$state/node-versions"; fi
    printf '%s\n' "$2 $3" >"$state/node-versions/$1"
}

# forget_node_versions NODE: it has left.
forget_node_versions() {
    rm -f "$state/node-versions/$1"
}

# await_kubelet NODE KUBELET: the node's kubelet is of this version. Until then the node's state is that of the one before.
await_kubelet() {
    within 120 reports_kubelet "$1" "$2" ||
        fail "the kubelet of $1 is still ${node_kubelet:-unknown} and not $2 after 120 seconds; on it: journalctl -u kubelet. ${node_said:-}"
}

reports_kubelet() {
    node_said=''
    node_state "$1" && [ "$node_kubelet" = "$2" ]
}

# snapshot_before_change: before programs of a control plane change, a snapshot of its etcd, kept on it for a way back. The last three stay.
snapshot_before_change() {
    local directory=$state/before-rollout file kept=()
    if ! etcd_ask "$own_etcd" endpoint health; then
        printf 'kubelab: %s: etcd does not answer, so no snapshot is taken before its programs change: %s\n' "$HOSTNAME" "${etcd_said##*$'\n'}" >&2
        return 0
    fi
    TZ=UTC printf -v file '%s/%(%Y%m%dT%H%M%SZ)T.db' "$directory" -1
    if [ ! -d "$directory" ]; then mkdir -m 0700 "$directory"; fi
    if ! etcd_patience=10m etcd_ask "$own_etcd" snapshot save "$file.new" || ! etcd_said=$(etcdutl snapshot status "$file.new" 2>&1); then
        fail "no snapshot of etcd, so no program changes: ${etcd_said##*$'\n'}"
    fi
    mv -f "$file.new" "$file"
    kept=("$directory"/*.db)
    if [ "${#kept[@]}" -gt 3 ]; then rm -f "${kept[@]:0:${#kept[@]}-3}"; fi
}

# refuse_older PART MAJOR.MINOR PAGE: a program that is older than what has written this machine's data may not be able to read them.
refuse_older() {
    local newest=''
    { read -r newest <"$state/data-version-$1"; } 2>/dev/null || return 0
    if [ "${newest%%.*}" -lt "${2%%.*}" ]; then return 0; fi
    if [ "${newest%%.*}" -gt "${2%%.*}" ] || [ "${newest##*.}" -gt "${2##*.}" ]; then
        fail "kubelab:versions.$1: $2 is older than the $newest that a rollout has begun to run here, and what that has stored may be unreadable to it: use $newest: $3"
    fi
}

# note_version PART MAJOR.MINOR: from now on a program of it may write data here.
note_version() {
    printf '%s\n' "$2" >"$state/data-version-$1"
}
