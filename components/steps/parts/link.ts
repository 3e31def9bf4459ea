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
link() {
    local fingerprint path name link index programs=() fingerprints=() stats=()
    make_directory /opt/kubelab/parts
    make_directory /opt/cni/bin
    exec 8>/opt/kubelab/parts.lock
    flock 8
    while read -r fingerprint path; do
        name=\${path##*/}
        if [ ! -d "/opt/kubelab/parts/$fingerprint" ]; then
            mkdir -p "${incoming}/$fingerprint"
            mv "${incoming}/$path" "${incoming}/$fingerprint/$name"
            mv "${incoming}/$fingerprint" "/opt/kubelab/parts/$fingerprint"
        fi
        case $path in
            cni/*) link=/opt/cni/bin/$name ;;
            *) link=/usr/local/bin/$name ;;
        esac
        ln -sfn "/opt/kubelab/parts/$fingerprint/$name" "$link"
        note link "/opt/kubelab/parts/$fingerprint/$name" "$link"
        programs+=("/opt/kubelab/parts/$fingerprint/$name")
        fingerprints+=("$fingerprint")
    done
    rm -rf ${incoming}
    mapfile -t stats < <(stat -c '%s %Y' "\${programs[@]}")
    for index in "\${!programs[@]}"; do
        note part "\${fingerprints[index]}" "\${stats[index]}" "\${programs[index]}"
    done
    # What an upgrade left behind, and what this machine has no use for.
    for directory in /opt/kubelab/parts/*; do
        [[ $kept == *" \${directory##*/} "* ]] || rm -rf "$directory"
    done
}
link <<'KUBELAB_LIST'
${wanted.join("\n")}
KUBELAB_LIST`;
}
