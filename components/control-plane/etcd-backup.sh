#!/bin/bash
# Takes a snapshot of this machine's etcd, verifies it, and keeps the newest ones. Run by etcd-backup.service as the user etcd; what goes wrong
# is in its journal. https://etcd.io/docs/v3.6/op-guide/recovery/
set -euo pipefail
umask 077

# Where snapshots are kept, how many, and where the summary of the last one is, for everyone to read.
: "${DIRECTORY:?}" "${KEEP:?}" "${STATE_DIRECTORY:?}"
: "${CREDENTIALS:=/etc/etcd}" "${DATA:=/var/lib/etcd}" "${ENDPOINT:=https://127.0.0.1:2379}"

# Bytes that stay free beside the new snapshot.
readonly RESERVE=$((64 * 1024 * 1024))
readonly NEW=$DIRECTORY/.new.db

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A snapshot is never larger than the database's file.
check_space() {
    local size free
    size=$(stat -c %s "$DATA/member/snap/db")
    free=$(df --output=avail -B1 "$DIRECTORY" | tail -n 1)
    ((free >= size + RESERVE)) || fail "$DIRECTORY has $((free / 1048576)) MiB free: a snapshot takes up to $((size / 1048576)) MiB, and 64 MiB stay free"
}

# etcd appends the sha256 of the data; etcdutl checks the pages of the database.
verify() {
    local file=$1 sum
    sum=$(tail -c 32 "$file" | od -An -v -tx1 | tr -d ' \n')
    [ "$(head -c -32 "$file" | sha256sum | cut -d ' ' -f 1)" = "$sum" ] || fail "the snapshot isn't what etcd sent: its sha256 differs"
    etcdutl snapshot status "$file" --write-out=json
}

# number NAME JSON
number() {
    [[ $2 =~ \"$1\":([0-9]+) ]] || fail "etcdutl says no $1: $2"
    printf '%s' "${BASH_REMATCH[1]}"
}

# Names in order of time.
list() {
    find "$DIRECTORY" -maxdepth 1 -type f -name '????????T??????Z.db' -printf '%f\n' | sort
}

prune() {
    local names name
    mapfile -t names < <(list)
    ((${#names[@]} > KEEP)) || return 0
    for name in "${names[@]:0:${#names[@]}-KEEP}"; do
        rm -f "$DIRECTORY/$name"
        printf 'removed %s\n' "$name"
    done
}

# Of a run that was cut off.
rm -f "$NEW" "$NEW.part"
check_space
trap 'rm -f "$NEW" "$NEW.part"' EXIT
etcdctl --endpoints "$ENDPOINT" --cacert "$CREDENTIALS/ca.crt" --cert "$CREDENTIALS/client.crt" --key "$CREDENTIALS/client.key" \
    snapshot save "$NEW" >/dev/null
status=$(verify "$NEW")
keys=$(number totalKey "$status") revision=$(number revision "$status")
name=$(date -u +%Y%m%dT%H%M%SZ).db
chmod 0600 "$NEW"
mv -fT "$NEW" "$DIRECTORY/$name"
sync "$DIRECTORY"
prune
summary="$name: $keys keys at revision $revision, $(stat -c %s "$DIRECTORY/$name") bytes; $(list | wc -l) kept in $DIRECTORY"
printf '%s\n' "$summary" >"$STATE_DIRECTORY/last.new"
chmod 0644 "$STATE_DIRECTORY/last.new"
mv -fT "$STATE_DIRECTORY/last.new" "$STATE_DIRECTORY/last"
printf '%s\n' "$summary"
