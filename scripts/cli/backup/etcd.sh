# shellcheck shell=bash
# A snapshot of etcd on a control plane, and its way back. A call follows: take_snapshot; restore_snapshot <API server's port> with the
# snapshot in base64 on its standard input; or restore_snapshot <API server's port> <path of a snapshot on the machine>. On the other control
# planes, before and after that: put_data_aside, take_data_back.
umask 077

# The data from before the last restore.
FORMER=/var/lib/kubelab/etcd-before-restore

# Prints the state of etcd as JSON, and on the next line the snapshot in base64.
take_snapshot() {
    work=$(mktemp -d /var/lib/kubelab/backup.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    ask snapshot save "$work/snapshot.db" >/dev/null
    etcdutl snapshot status "$work/snapshot.db" --write-out=json
    base64 --wrap=0 "$work/snapshot.db"
}

# find_snapshot DIRECTORY NAME: prints the path of a snapshot that the timer took, and its state as JSON on the next line. NAME is a file's,
# or `latest`.
find_snapshot() {
    local names name=$2
    names=$(find "$1" -maxdepth 1 -type f -name '*.db' ! -name '.*' -printf '%f\n' 2>/dev/null | sort) || true
    [ -n "$names" ] || fail "has no snapshots in $1"
    if [ "$name" = latest ]; then name=$(tail -n 1 <<<"$names"); fi
    if ! grep -qxF -- "$name" <<<"$names"; then name+=.db; fi
    grep -qxF -- "$name" <<<"$names" || fail "has no snapshot $2 in $1, but $(tail -n 10 <<<"$names" | tr '\n' ' ')"
    printf '%s\n' "$1/$name"
    etcdutl snapshot status "$1/$name" --write-out=json || fail "$1/$name is damaged"
}

# The value of a flag of etcd, from its unit or its pod.
etcd_flag() {
    local text
    text=$(cat "$PODS/etcd.yaml" /etc/systemd/system/etcd.service 2>/dev/null) || true
    text=$(grep -oE -- "--$1=[^ \"']+" <<<"$text") || fail "etcd here has no flag $1"
    printf '%s\n' "${text#*=}" | head -n 1
}

# start_ready: whether the API server is ready after all has been started.
start_ready() {
    start_all
    within 240 curl -sf --max-time 5 --cacert /etc/kubernetes/kube-apiserver/ca.crt "https://127.0.0.1:$port/readyz" >/dev/null
}

# Another member's data don't fit what is restored: it stops, without them, and joins again with the next `up`. One that was put aside by an
# attempt that was cut short has none.
put_data_aside() {
    trap '' HUP INT PIPE
    if ! stop_all; then
        start_all
        fail "the control plane doesn't stop"
    fi
    if [ -e "$DATA" ]; then
        rm -rf "$FORMER"
        mv "$DATA" "$FORMER"
    fi
    await_others
}

# After all it is a member as before.
take_data_back() {
    if [ -e "$FORMER" ] && [ ! -e "$DATA" ]; then mv "$FORMER" "$DATA"; fi
    start_all
}

# What was there before this restore, running again.
put_back() {
    echo "putting the former data back" >&2
    stop_all || true
    rm -rf "$DATA"
    mv "$FORMER" "$DATA"
    start_ready || true
}

# Watchers of the API notice: revisions go on far above all that they have seen, and older ones are gone.
restore_snapshot() {
    port=$1
    mkdir -p /run/kubelab
    exec 9>/run/kubelab/restore.lock
    flock --nonblock 9 || fail "another restore is under way"
    # To its end, whoever waits for it.
    trap '' HUP INT PIPE
    work=$(mktemp -d /var/lib/kubelab/restore.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    if [ -n "${2:-}" ]; then
        cp -- "$2" "$work/snapshot.db" || fail "$2 can't be read"
    else
        base64 --decode >"$work/snapshot.db"
    fi
    # The only member, whoever was one when the snapshot was taken.
    name=$(etcd_flag name) peer=$(etcd_flag initial-advertise-peer-urls)
    etcdutl snapshot restore "$work/snapshot.db" --data-dir "$work/data" --bump-revision 1000000000 --mark-compacted \
        --name "$name" --initial-cluster "$name=$peer" --initial-advertise-peer-urls "$peer" \
        --initial-cluster-token "$(etcd_flag initial-cluster-token)" >"$work/log" 2>&1 || fail "$(tail -n 5 "$work/log")"
    chown -R --reference="${DATA%/*}" "$work/data/member"
    if ! stop_all; then
        start_ready || true
        fail "the control plane doesn't stop; nothing was restored"
    fi
    rm -rf "$FORMER"
    mv "$DATA" "$FORMER"
    mv "$work/data/member" "$DATA"
    if ! start_ready; then
        put_back
        fail "with the restored data the API server isn't ready within 240 s, so the former data are back"
    fi
}
