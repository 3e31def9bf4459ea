#!/bin/bash
# Makes this host what it was before it became a node: ends everything of the cluster, takes away what was put, and sets back what was
# changed. The host's own record says what that is (/var/lib/kubelab). It may be run again where it was cut off. Run as root.
set -uo pipefail
export PATH=$PATH:/usr/sbin:/sbin
state=/var/lib/kubelab
before=$state/before
[ -e "$state/claim" ] || exit 0

# Lines of all steps' records, also of those that didn't come to their end. A line with $1 before it, without that.
noted() {
    find "$state/record" -type f -exec grep -hE "^$1 " {} + 2>/dev/null | sed "s/^$1 //" | sort -u
}

was_there() { grep -qxF -- "$2" "$before/$1" 2>/dev/null; }

# Steps of a run that was killed may still be at work, or wait for their turn: they give way to this one.
end_steps() {
    local turn lock
    for turn in /run/kubelab/*.turn; do
        [ ! -e "$turn" ] || echo leave >"$turn"
    done
    for lock in /run/kubelab/*.lock; do
        [ ! -e "$lock" ] || flock --wait 60 "$lock" true
    done
}

end_processes() {
    local units=() early=() unit process left=()
    mapfile -t units < <({
        noted unit
        noted 'file [^ ]* [^ ]* [^ ]*' | sed -n 's:^/etc/systemd/system/\([^/]*\.\(service\|socket\|path\|timer\)\)$:\1:p'
        noted file | sed -n 's:^/etc/systemd/system/\([^/]*\.\(service\|socket\|path\|timer\)\)$:\1:p'
    } | sort -u)
    systemctl stop kubelet 2>/dev/null
    for _ in 1 2 3 4 5; do
        left=()
        for process in /proc/[0-9]*; do
            # Containers, and what looks after each.
            if grep -qs ':/kubepods[./]' "$process/cgroup" || [[ $(readlink "$process/exe") == /opt/kubelab/parts/*/containerd-shim-runc-v2 ]]; then
                left+=("${process#/proc/}")
            fi
        done
        [ "${#left[@]}" -gt 0 ] || break
        kill -KILL "${left[@]}" 2>/dev/null
        sleep 0.2
    done
    if [ "${#left[@]}" -gt 0 ]; then
        echo "processes of containers don't end: ${left[*]}; reboot the host and try again" >&2
        exit 1
    fi
    # etcd last: an API server that can't reach it any more takes its time to end.
    for unit in "${units[@]}"; do
        if [[ $unit != etcd* ]]; then early+=("$unit"); fi
    done
    systemctl stop "${early[@]}" 2>/dev/null
    systemctl stop "${units[@]}" 2>/dev/null
    for unit in "${units[@]}"; do
        systemctl disable --no-reload --quiet "$unit" 2>/dev/null
        systemctl reset-failed "$unit" 2>/dev/null
    done
    systemctl stop kubepods.slice 2>/dev/null
    [ -e "$before/network-online" ] || systemctl stop network-online.target 2>/dev/null
    find /sys/fs/cgroup -depth -type d -regex '/sys/fs/cgroup\(/[^/]*\)?/kubepods.*' -exec rmdir {} + 2>/dev/null
}

undo_mounts() {
    local target
    findmnt --raw --noheadings --output TARGET | tac | grep -E '^/(run/containerd|run/netns|var/lib/containerd|var/lib/kubelet)(/|$)' |
        while read -r target; do
            was_there mounts "$target" || umount --lazy "$target"
        done
}

# Chains of Kubernetes and its plugins, and the rules that go there.
undo_chains() {
    local program ours='(KUBE|CNI|KUBENET|FLANNEL|CALI)-[A-Za-z0-9-]*'
    for program in iptables ip6tables; do
        if command -v $program-save >/dev/null && $program-save 2>/dev/null | grep -qE "^:$ours "; then
            $program-save --counters | grep -vE "^:$ours |^(\[[0-9:]*\] )?-A $ours |(-j|-g) $ours( |\$)" | $program-restore --counters
        fi
    done
    nft delete table ip kube-proxy 2>/dev/null
    nft delete table ip6 kube-proxy 2>/dev/null
    # Tables that iptables made to put a rule in.
    nft list tables 2>/dev/null | while read -r _ family name; do
        if ! was_there nft-tables "table $family $name" && ! nft list table "$family" "$name" | grep -qE '^\t\t(.* )?(counter|accept|drop|jump|goto|return|masquerade|xt) '; then
            nft delete table "$family" "$name"
        fi
    done
}

undo_network() {
    local name
    ip -oneline link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r name; do
        if ! was_there links "$name" && [[ $name =~ ^(cbr0|cni0|kube-bridge|kube-dummy-if|kube-ipvs0|flannel.*|tun-.*)$ ]]; then
            ip link delete "$name" 2>/dev/null
        fi
    done
    for name in 75 17; do ip route flush proto $name 2>/dev/null; done
    # flannel's have nothing but where they lead to.
    ip -oneline route show root "$(sed -n 's/^pods=//p' "$state/claim")" | while read -r name; do
        # shellcheck disable=SC2086
        was_there routes "$name" || ip route delete $name
    done
    ip rule | while IFS= read -r name; do
        if ! was_there rules "$name" && [[ $name =~ lookup\ (kube-router|77|78|79) ]]; then ip rule delete pref "${name%%:*}"; fi
    done
    for name in 77 78 79; do ip route flush table $name 2>/dev/null; done
    undo_chains
    ipset list -name 2>/dev/null | grep -E '^(inet6:)?(KUBE|kube-router)' | while read -r name; do
        was_there ipsets "$name" || ipset destroy "$name" 2>/dev/null || ipset flush "$name"
    done
    # Those that had others in them.
    ipset list -name 2>/dev/null | grep -E '^(inet6:)?(KUBE|kube-router)' | while read -r name; do
        was_there ipsets "$name" || ipset destroy "$name"
    done
}

put_back() {
    local tag path target user
    while read -r path; do
        if [ -e "$state/original$path" ] || [ -L "$state/original$path" ]; then
            cp -a "$state/original$path" "$path.kubelab" && mv -fT "$path.kubelab" "$path"
        else
            rm -f "$path"
        fi
    done < <(noted 'file [^ ]* [^ ]* [^ ]*'; noted file | grep '^/')
    while read -r _ tag path; do
        [ -e "$path" ] || continue
        grep -v " # $tag\$" "$path" >"$path.kubelab"
        if cmp -s "$path.kubelab" "$state/original$path"; then
            cp -a "$state/original$path" "$path.kubelab"
        else
            chmod --reference="$path" "$path.kubelab" && chown --reference="$path" "$path.kubelab"
        fi
        mv -f "$path.kubelab" "$path"
    done < <(noted lines)
    while read -r target path; do
        [ "$(readlink "$path")" != "$target" ] || rm -f "$path"
    done < <(noted link)
    find /usr/local/bin -type l -lname '/opt/kubelab/*' -delete 2>/dev/null
    # What stood in the way of a unit, where nothing is in its place now.
    find "$state/set-aside" -type f -printf '/%P\n' 2>/dev/null | while read -r path; do
        mkdir -p "${path%/*}" && mv -n "$state/set-aside$path" "$path"
    done
    while read -r user; do
        was_there users "$user" || { userdel "$user" && groupdel "$user"; } 2>/dev/null
    done < <(
        noted user
        # A step that went before the others has no record any more.
        printf '%s\n' etcd kube-apiserver kube-controller-manager kube-scheduler node-approver
    )
}

undo_directories() {
    local mode owner directory entry
    while read -r mode owner directory; do
        [ -d "$directory" ] || continue
        if [ "$mode" = absent ]; then
            rm -rf --one-file-system "$directory"
            continue
        fi
        chmod "$mode" "$directory" && chown "$owner" "$directory"
        if ! grep -qF -- "$directory/" "$before/entries"; then
            find "$directory" -xdev -mindepth 1 -delete
        else
            find "$directory" -xdev -depth -mindepth 1 | while IFS= read -r entry; do
                if ! was_there entries "$entry"; then rm -f "$entry" 2>/dev/null || rmdir "$entry" 2>/dev/null; fi
            done
        fi
    done <"$before/directories"
    noted directory | sort -r | while read -r directory; do rmdir "$directory" 2>/dev/null; done
    [ ! -e "$before/no-netns" ] || rmdir /run/netns 2>/dev/null
    [ ! -e "$before/no-xtables-lock" ] || rm -f /run/xtables.lock
}

# Forwarding first: it sets others with it.
undo_settings() {
    local module line
    { grep -E 'ip_forward =' "$before/sysctls"; grep -vE 'ip_forward =' "$before/sysctls"; } | while IFS= read -r line; do
        key=${line%% = *}
        [ "$(sysctl --values "$key" 2>/dev/null)" = "${line#* = }" ] || sysctl --quiet --write "$key=${line#* = }" 2>/dev/null
    done
    if [ -s "$before/modules" ]; then
        for module in br_netfilter vxlan ipip ip_vs_sh ip_vs_wrr ip_vs_rr ip_vs overlay; do
            if [ -d "/sys/module/$module" ] && ! was_there modules "$module"; then modprobe --remove --quiet "$module"; fi
        done
    fi
}

exec 9>"$state/lock"
flock -w 60 9 || {
    echo "another run is at work on this host" >&2
    exit 1
}
end_steps
end_processes
find /run/netns -maxdepth 1 -name 'cni-*' -printf '%f\n' 2>/dev/null | while read -r name; do ip netns delete "$name"; done
undo_mounts
undo_network
put_back
systemctl daemon-reload
undo_directories
undo_settings
# The mark goes last: what is cut off before that can be done again.
find "$state" -mindepth 1 ! -path "$state/claim" -delete
rm -rf "$state"
