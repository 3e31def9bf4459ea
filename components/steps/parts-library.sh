# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# How a delivery puts parts where they belong: every file has a directory named by its fingerprint, so what is there never comes again,
# and an upgrade is new links. A list of parts has a line `FINGERPRINT PATH` for each, its path as in a parts directory.

# lacking_parts ARRIVED <LIST: prints the paths of those that neither are there nor have just come; ARRIVED is there then.
lacking_parts() {
    local fingerprint path
    if [ -d "$1" ]; then return; fi
    while read -r fingerprint path; do
        if [ ! -d "/opt/kubelab/parts/$fingerprint" ]; then echo "$path"; fi
    done
}

# verify_parts: takes away what isn't what its directory is named by.
verify_parts() (
    cd /opt/kubelab/parts 2>/dev/null || exit 0
    sha256sum -- */* | while read -r sum file; do
        [ "$sum" = "${file%%/*}" ] || rm -rf -- "${file%%/*}"
    done
)

# alone: no other delivery moves or removes parts until this one has ended; for those that do.
moving=''
alone() {
    [ -z "$moving" ] || return 0
    exec 8>/opt/kubelab/parts.lock
    flock 8
    moving=1
}

# link_parts INCOMING [FINGERPRINT...] <LIST: puts the parts in INCOMING in their places, links all that are listed, and removes what is
# neither listed nor among the fingerprints: what an upgrade left behind, and what this machine has no use for.
link_parts() {
    local incoming=$1 fingerprint path name place directory index kept=" ${*:2} " programs=() fingerprints=() stats=() new=() unneeded=()
    local -A links=()
    make_directories /opt/kubelab/parts /opt/cni/bin
    while read -r fingerprint path; do
        name=${path##*/}
        place=/opt/kubelab/parts/$fingerprint
        if [ ! -d "$place" ]; then alone; fi
        if [ ! -d "$place" ]; then
            mkdir -p "$incoming/$fingerprint"
            mv "$incoming/$path" "$incoming/$fingerprint/$name"
            mv "$incoming/$fingerprint" "$place"
        fi
        case $path in
            cni/*) directory=/opt/cni/bin ;;
            *) directory=/usr/local/bin ;;
        esac
        if [ ! -L "$directory/$name" ] || [ ! "$directory/$name" -ef "$place/$name" ]; then links[$directory]+=$place/$name$'\n'; fi
        note link "$place/$name" "$directory/$name"
        programs+=("$place/$name")
        fingerprints+=("$fingerprint")
    done
    # Both are tools of a control plane.
    if [[ ${links[/usr/local/bin]:-} == */@(kubectl|etcdctl)$'\n'* ]] && [ -x /usr/local/bin/etcdctl ] && [ -d /var/lib/etcd/member ]; then
        snapshot_before_change
    fi
    for directory in "${!links[@]}"; do
        mapfile -t new <<<"${links[$directory]%$'\n'}"
        ln -sfn -t "$directory" "${new[@]}"
    done
    if [ -e "$incoming" ]; then rm -rf "$incoming"; fi
    mapfile -t stats < <(stat -c '%s %Y' "${programs[@]}")
    for index in "${!programs[@]}"; do
        note part "${fingerprints[index]}" "${stats[index]}" "${programs[index]}"
    done
    kept+="${fingerprints[*]} "
    for directory in /opt/kubelab/parts/*; do
        [[ $kept == *" ${directory##*/} "* ]] || unneeded+=("$directory")
    done
    if [ "${#unneeded[@]}" -gt 0 ]; then
        alone
        rm -rf "${unneeded[@]}"
    fi
}
