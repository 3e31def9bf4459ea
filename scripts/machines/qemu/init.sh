#!/bin/busybox sh
# shellcheck shell=dash
# Process 1 of a virtual machine's initrd: mounts the disks, gives the machine its identity and its addresses, and hands over to systemd.
# /machine comes with an archive of the machine's own behind this one; it is in memory only and gone after the handover.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

give_up() {
    echo "kubelab: $1" >/dev/console
    sleep 5
    poweroff -f
}

# wait_for TEST WHAT: at most ten seconds, for devices that drivers are still looking for.
wait_for() {
    i=0
    while ! test "$1" "$2"; do
        i=$((i + 1))
        [ "$i" -lt 500 ] || give_up "no $2 after ten seconds"
        usleep 20000
    done
}

# write FILE: puts a file of the machine's identity on its disk where it isn't the one that was put there last. What the machine itself
# has made of the file meanwhile stays.
write() {
    if ! cmp -s "/machine/root/$1" "$kept/$1"; then
        for target in /root "$kept"; do
            mkdir -p "$target/$(dirname "$1")"
            cp -p "/machine/root/$1" "$target/$1"
        done
    fi
}

while read -r module; do insmod "/modules/$module"; done </modules/order
# shellcheck source=/dev/null
. /machine/config

ip link set lo up
wait_for -e /sys/class/net/eth0
ip link set eth0 up
for address in $ADDRESSES; do ip address add "$address" dev eth0; done
ip route add default via "$GATEWAY"

wait_for -b /dev/vda
mount -t ext4 -o rw,noatime /dev/vda /root || give_up "the disk can't be mounted"
if [ -b /dev/vdb ]; then
    mount -t ext4 -o rw,noatime /dev/vdb /root/opt/kubelab || give_up "the disk with the parts can't be mounted"
fi
kept=/root/var/lib/machine-identity
mkdir -p "$kept"
chmod 700 "$kept"
(cd /machine/root && find . -type f) | while read -r file; do write "$file"; done

umount /proc /sys
mount --move /dev /root/dev
exec switch_root /root /sbin/init
