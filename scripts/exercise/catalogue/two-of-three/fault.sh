# shellcheck shell=bash
# The data itself isn't kept: what the others have written since would be missing in it.
inject() {
    local log
    systemctl stop etcd
    # As after a power cut: the log begins with what was on the disk before.
    for log in /var/lib/etcd/member/wal/*.wal; do
        dd if=/dev/urandom of="$log" bs=4096 count=4 conv=notrunc status=none
    done
    systemctl start --no-block etcd
}

answers() {
    systemctl --quiet is-active etcd && etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt \
        --key /etc/etcd/client.key --dial-timeout 2s --command-timeout 4s endpoint health >/dev/null 2>&1
}

# A member that doesn't answer loses its data: a repair has it join again.
undo() {
    local n
    for ((n = 0; n < 5; n++)); do
        if answers; then break; fi
        sleep 1
    done
    if ! answers; then
        systemctl stop etcd
        rm -rf /var/lib/etcd/member
    fi
    rm -rf /var/lib/etcd-damaged
}
