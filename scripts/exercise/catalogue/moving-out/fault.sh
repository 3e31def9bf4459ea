# shellcheck shell=bash
# A disk of the kubelet's own, which is small, so that the one under all machines has nothing of it.
DISK=/var/lib/kubelet

inject() {
    local mounted
    mounted=$(mktemp -d)
    systemctl stop kubelet
    mount -t tmpfs -o size=64m,mode=700 kubelet-disk "$mounted"
    # What is mounted in it stays below.
    cp -a --one-file-system "$DISK/." "$mounted"
    mount --bind "$mounted" "$DISK"
    umount "$mounted"
    rmdir "$mounted"
    dd if=/dev/zero of="$DISK/core.4711" bs=1M count=61 status=none || true
    systemctl start kubelet
}

undo() {
    systemctl stop kubelet
    while [ "$(findmnt -n -o SOURCE --target "$DISK")" = kubelet-disk ]; do
        umount --recursive "$DISK" || umount --lazy "$DISK"
    done
    running kubelet
}
