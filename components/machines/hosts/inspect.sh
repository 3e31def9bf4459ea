# shellcheck shell=bash
# What a host is like, a line each: a word that says what, and the rest of the line. Reads and changes nothing. Run as root.
# Bash itself reads what it can: to start a program takes an emulated machine a quarter of a second.
set -uo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s %s\n' "$1" "${*:2}"; }

# content FILE: into the variable of that name; empty where there is none.
content() {
    content=''
    if [ -r "$1" ]; then IFS= read -rd '' content <"$1" || true; fi
}

# Beside all else, since both wait: for a service that is started for the answer, and for name servers.
waiting() {
    # systemd 252 has no -P for it.
    if [ "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)" = no ]; then say unsynchronized; fi
    timeout 5 getent ahostsv4 registry.k8s.io >/dev/null || say unresolved registry.k8s.io
}

say clock "$EPOCHREALTIME"
waiting &
content /proc/sys/kernel/hostname
hostname=${content%$'\n'}
say hostname "$hostname"
content /etc/machine-id
say machine-id "${content%$'\n'}"
# shellcheck source=/dev/null
say os "$(. /etc/os-release 2>/dev/null && printf '%s %s %s' "${ID:-unknown}" "${VERSION_ID:-unknown}" "${PRETTY_NAME:-}")"
say architecture "$(uname -m)"
content /proc/sys/kernel/osrelease
say kernel "${content%$'\n'}"
content /proc/1/comm
say init "${content%$'\n'}"
# Only the root of cgroup v2 has it: https://docs.kernel.org/admin-guide/cgroup-v2.html#core-interface-files
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then say cgroup v2; else say cgroup v1; fi
content /proc/meminfo
if [[ $content =~ MemTotal:\ *([0-9]+)\ kB ]]; then say memory "${BASH_REMATCH[1]}"; fi
content /proc/swaps
if [[ $content == *$'\n'?* ]]; then say swap on; fi
(echo -999 >/proc/self/oom_score_adj) 2>/dev/null || say no-oom-score
if [ -e /proc/sys/net/netfilter/nf_conntrack_max ] && [ ! -w /proc/sys/net/netfilter/nf_conntrack_max ]; then say fixed-conntrack; fi

# Room: bytes free in the file system that a directory is in or would be in.
for directory in /opt /var/lib; do
    say room "$directory" "$(df --output=avail -B1 "$directory" 2>/dev/null | tail -1)"
done

# What the steps and Kubernetes call, by the Debian package that has it.
while read -r program package; do
    command -v "$program" >/dev/null || say missing "$package" "$program"
done <<'PROGRAMS'
systemctl systemd
journalctl systemd
flock util-linux
mount mount
ip iproute2
ss iproute2
iptables iptables
iptables-restore iptables
nft nftables
conntrack conntrack
ethtool ethtool
ipset ipset
socat socat
curl curl
modprobe kmod
openssl openssl
sysctl procps
tar tar
keepalived keepalived
haproxy haproxy
PROGRAMS

# kernel FEATURE MODULE TEST...: the kernel has it when the test succeeds, or could load its module.
kernel() {
    "${@:3}" >/dev/null 2>&1 || modprobe --dry-run --quiet "$2" >/dev/null 2>&1 || say no-kernel "$1"
}
overlayfs() { content /proc/filesystems && [[ $content == *$'\toverlay\n'* ]]; }
kernel overlayfs overlay overlayfs
kernel br_netfilter br_netfilter test -d /proc/sys/net/bridge
nftables() { chains=$(nft list chains); }
chains=''
kernel nftables nf_tables nftables
kernel conntrack nf_conntrack test -e /proc/sys/net/netfilter/nf_conntrack_max
kernel ip_vs ip_vs test -e /proc/net/ip_vs

# The mark of the cluster that the host is in, if any.
if [ -e /var/lib/kubelab/claim ]; then
    while IFS='=' read -r key value; do say "claim-$key" "$value"; done </var/lib/kubelab/claim
fi

# Container runtimes and Kubernetes that are not kubelab's.
units=(docker containerd cri-o crio podman kubelet k3s k3s-agent rke2-server rke2-agent k0scontroller k0sworker snap.microk8s.daemon-kubelite etcd kube-apiserver)
# One call for all of them. A unit's Id comes before its other properties.
firewalld=''
while IFS='=' read -r key value; do
    case $key:$value in
        Id:*) unit=$value ;;
        ActiveState:active) if [ "$unit" = firewalld.service ]; then firewalld=active; fi ;;
        FragmentPath:?*) if [ "$unit" != firewalld.service ]; then say unit "$unit" "$value"; fi ;;
    esac
done < <(systemctl show --property=Id,FragmentPath,ActiveState "${units[@]/%/.service}" firewalld.service 2>/dev/null)
for program in dockerd containerd crio kubelet kubeadm k3s rke2 k0s etcd kube-apiserver; do
    path=$(command -v "$program") || continue
    [[ $(readlink -f "$path") == /opt/kubelab/* ]] || say program "$path"
done
shopt -s nullglob dotglob
for directory in /etc/kubernetes /etc/cni/net.d /etc/containerd /opt/cni/bin /var/lib/kubelet /var/lib/containerd /var/lib/etcd /var/lib/docker /var/lib/rancher; do
    entries=("$directory"/*)
    if [ "${#entries[@]}" -gt 0 ]; then say files "$directory"; fi
done

while read -r protocol address program; do
    say port "$protocol" "${address##*:}" "${address%:*}" "$program"
done < <(ss -Hlntup | sed -n 's/^\(tcp\|udp\) *[A-Z]* *[0-9]* *[0-9]* *\([^ ]*\) *[^ ]* *\(users:(("\([^"]*\)".*\)\?$/\1 \2 \4/p')

# A chain that drops what its rules don't accept: no rule of another table can save a packet from it. A node's own pod network may have
# one that packets are forwarded by.
if command -v ufw >/dev/null && [[ $(ufw status 2>/dev/null) == 'Status: active'* ]]; then
    say firewall ufw
elif [ "$firewalld" = active ]; then
    say firewall firewalld
else
    hooks=input
    if [ ! -e /var/lib/kubelab/claim ]; then hooks='input|forward'; fi
    while read -r line; do
        if [[ $line =~ hook\ ($hooks)\ .*policy\ drop ]]; then
            say firewall nftables
            break
        fi
    done <<<"$chains"
fi

# Of network cards, by their names or by the bus that they are on.
while read -r _ name details; do
    if [[ $name == e[nt]* || $details == *' parentdev '* ]] && [[ $details =~ link/ether\ ([0-9a-f:]+) ]]; then
        say mac "${BASH_REMATCH[1]}" "${name%%[@:]*}"
    fi
done < <(ip -details -oneline link)
while read -r _ name _ cidr _; do say address "${cidr%/*}" "${cidr#*/}"; done < <(ip -o -4 address show)

for name in "$hostname" localhost; do
    getent ahostsv4 "$name" >/dev/null || say unresolved "$name"
done

# Name servers that pods can use: those on loopback are for processes of the host, and CoreDNS would ask itself.
# servers FILE: all of them into the variable of that name, and those that pods can use into another.
servers() {
    local word server
    servers='' usable=''
    if [ ! -r "$1" ]; then return; fi
    while read -r word server _ || [ -n "$word" ]; do
        if [ "$word" != nameserver ]; then continue; fi
        servers+="$server "
        case $server in
            127.* | 0.0.0.0 | ::1) ;;
            *) usable+="$server " ;;
        esac
    done <"$1"
}
servers /etc/resolv.conf
if [ -z "$servers" ] || [ "$servers" != "$usable" ]; then
    own=$usable
    for file in /run/systemd/resolve/resolv.conf /run/NetworkManager/no-stub-resolv.conf /run/dnsmasq/resolv.conf; do
        servers "$file"
        if [ -n "$usable" ]; then
            say resolv-conf "$file"
            break
        fi
    done
    say name-servers "$own"
fi
wait
say end
