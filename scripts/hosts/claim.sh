# shellcheck shell=bash disable=SC2154
# Makes a host a node of one cluster: notes what is there before anything of the cluster is, and marks the host as the cluster's.
# Before it come: cluster, lab, stack, pods, from (the checkout that claims it), and leave (the text of leave.sh). On its standard output:
# the host's machine id.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
state=/var/lib/kubelab

# Directories that only Kubernetes and its parts write to. What they have before stays, all else in them goes with the cluster.
own_directories=(
    /etc/cni /etc/containerd /etc/etcd /etc/kube-flannel /etc/kubernetes /opt/cni /opt/containerd /opt/kubelab
    /run/containerd /run/flannel /run/kube-router /run/kubelab /run/kubernetes /run/nri /run/runc /usr/libexec/kubernetes
    /usr/local/lib/kubelab /var/lib/cni /var/lib/containerd /var/lib/etcd /var/lib/etcd-backup /var/lib/kubelet /var/lib/kube-router /var/lib/node-approver
    /var/log/containers /var/log/kubernetes /var/log/pods
)

# Settings that kubelet, kube-proxy, the plugins and the steps write.
own_settings='^(kernel\.(panic|panic_on_oops|keys\.)|vm\.(overcommit_memory|panic_on_oom)|net\.ipv[46]\.(ip_forward|conf\.(all|default)\.|vs\.|neigh\.default\.gc_thresh)|net\.bridge\.|net\.netfilter\.nf_conntrack_(max|buckets|tcp_))'

note_what_is_there() {
    local before=$state/before directory
    mkdir -p "$before"
    for directory in "${own_directories[@]}"; do
        if [ -d "$directory" ]; then
            printf '%s %s\n' "$(stat -c '%a %u:%g' "$directory")" "$directory"
            find "$directory" -xdev -mindepth 1 >>"$before/entries"
        else
            printf 'absent - %s\n' "$directory"
        fi
    done >"$before/directories"
    touch "$before/entries"
    sysctl --all 2>/dev/null | grep -E "$own_settings" >"$before/sysctls" || true
    findmnt --raw --noheadings --output TARGET >"$before/mounts"
    ip -oneline link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' >"$before/links"
    ip -oneline route >"$before/routes"
    ip rule >"$before/rules"
    # Units of the cluster want it, and nothing else may have yet.
    if systemctl is-active --quiet network-online.target; then touch "$before/network-online"; fi
    getent passwd | cut -d : -f 1 >"$before/users"
    nft list tables >"$before/nft-tables" 2>/dev/null || true
    ipset list -name >"$before/ipsets" 2>/dev/null || true
    cut -d ' ' -f 1 /proc/modules >"$before/modules" 2>/dev/null || true
    [ -e /run/xtables.lock ] || touch "$before/no-xtables-lock"
    [ -e /run/netns ] || touch "$before/no-netns"
}

umask 077
mkdir -p "$state"
exec 9>"$state/lock"
flock -w 60 9 || {
    echo "another run is at work on this host" >&2
    exit 1
}
# Nothing stays of a claim that didn't come to its end.
trap '[ -e "$state/claim" ] || rm -rf "$state"' EXIT
if [ -e "$state/claim" ]; then
    if ! grep -qxF "cluster=$cluster" "$state/claim"; then
        printf 'this host is a node of another cluster: %s\n' "$(grep -E '^(lab|stack|from)=' "$state/claim" | tr '\n' ' ')" >&2
        printf "destroy that one; if it is gone for good, run 'sudo bash %s/leave' on the host\n" "$state" >&2
        exit 1
    fi
else
    # A mark that is gone takes all with it that was noted below it.
    find "$state" -mindepth 1 ! -path "$state/lock" -delete
    note_what_is_there
fi
printf '%s\n' "$leave" >"$state/leave"
if [ ! -e "$state/claim" ]; then
    printf '%s\n' "cluster=$cluster" "lab=$lab" "stack=$stack" "pods=$pods" "from=$from" "machine-id=$(cat /etc/machine-id)" >"$state/claim.new"
    mv "$state/claim.new" "$state/claim"
fi
cat /etc/machine-id
