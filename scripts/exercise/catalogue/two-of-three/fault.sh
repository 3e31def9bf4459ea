# shellcheck shell=bash
# The data itself isn't kept: what the others have written since would be missing in it.
inject() {
    systemctl stop etcd
    # As after a power cut: the log ends in the middle, with what was on the disk before.
    local log
    for log in /var/lib/etcd/member/wal/*.wal; do
        dd if=/dev/urandom of="$log" bs=4096 count=4 conv=notrunc status=none
    done
    systemctl start --no-block etcd
}

# A member that doesn't run loses its data: a repair has it join again.
undo() {
    if ! systemctl --quiet is-active etcd || ! curl -sf --max-time 5 http://127.0.0.1:2381/readyz >/dev/null; then
        systemctl stop etcd
        rm -rf /var/lib/etcd/member
    fi
    rm -rf /var/lib/etcd-damaged
}
