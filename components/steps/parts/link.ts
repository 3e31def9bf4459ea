/** What `link` in the text of a delivery works on. */
export interface LinkArgs {
    /** Directory on the machine that new files are in, by their paths in a parts directory. */
    readonly incoming: string;
    /** `<fingerprint> <path>` of every file that was to be brought. */
    readonly wanted: readonly string[];
    /** Fingerprints of all that the machine needs. */
    readonly kept: readonly string[];
}

/**
 * Bash statements that put what has come in where it belongs, on the machine: every file has a directory named by its fingerprint,
 * so what is there never comes again, and an upgrade is new links. Run by one delivery at a time, in a step.
 */
export function renderLink({ incoming, wanted, kept }: LinkArgs): string {
    return `kept=' ${kept.join(" ")} '
# alone: no other delivery moves or removes parts until this one has ended; for those that do.
moving=''
alone() {
    [ -z "$moving" ] || return 0
    exec 8>/opt/kubelab/parts.lock
    flock 8
    moving=1
}
link() {
    local fingerprint path name place directory index programs=() fingerprints=() stats=() new=() unneeded=()
    local -A links=()
    make_directories /opt/kubelab/parts /opt/cni/bin
    while read -r fingerprint path; do
        name=\${path##*/}
        place=/opt/kubelab/parts/$fingerprint
        if [ ! -d "$place" ]; then alone; fi
        if [ ! -d "$place" ]; then
            mkdir -p "${incoming}/$fingerprint"
            mv "${incoming}/$path" "${incoming}/$fingerprint/$name"
            mv "${incoming}/$fingerprint" "$place"
        fi
        case $path in
            cni/*) directory=/opt/cni/bin ;;
            *) directory=/usr/local/bin ;;
        esac
        if [ ! -L "$directory/$name" ] || [ ! "$directory/$name" -ef "$place/$name" ]; then links[$directory]+=$place/$name$'\\n'; fi
        note link "$place/$name" "$directory/$name"
        programs+=("$place/$name")
        fingerprints+=("$fingerprint")
    done
    for directory in "\${!links[@]}"; do
        mapfile -t new <<<"\${links[$directory]%$'\\n'}"
        ln -sfn -t "$directory" "\${new[@]}"
    done
    if [ -e ${incoming} ]; then rm -rf ${incoming}; fi
    mapfile -t stats < <(stat -c '%s %Y' "\${programs[@]}")
    for index in "\${!programs[@]}"; do
        note part "\${fingerprints[index]}" "\${stats[index]}" "\${programs[index]}"
    done
    # What an upgrade left behind, and what this machine has no use for.
    for directory in /opt/kubelab/parts/*; do
        [[ $kept == *" \${directory##*/} "* ]] || unneeded+=("$directory")
    done
    if [ "\${#unneeded[@]}" -gt 0 ]; then
        alone
        rm -rf "\${unneeded[@]}"
    fi
}
link <<'KUBELAB_LIST'
${wanted.join("\n")}
KUBELAB_LIST`;
}
