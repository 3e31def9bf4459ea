# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# How a step writes files: all of them at once, and only those that aren't right already. One that is there is replaced: the new one is
# written beside it and renamed. One that isn't there yet is written in its place, which takes no program; but for the kubelet's
# manifests: it reads one as soon as it is there, and half of one may be a pod too, without its volumes.
: "${state:?}" "${run:?}"

# Set when content, mode or owner of a file were different.
changed=''
# A file that isn't empty while a change waits for its restart: a run that is cut off in between leaves it to the next one.
pending=/dev/null
# What files were before this step changed them, until it has succeeded.
before=''

# put PATH MODE OWNER [SHA256] <CONTENT: writes a file atomically.
put() {
    plan "$@"
    write_planned
}

# plan PATH MODE OWNER [SHA256] <CONTENT: a file for write_planned to write, and for the record.
plan() {
    if [ -e "$1" ]; then keep_original "$1"; fi
    note file "$1"
    plan_unnoted "$@"
}

# plan_copy PATH MODE OWNER SOURCE: a file that is to be as another one on this machine is; where that one is gone, it stays as it is.
plan_copy() {
    local source=$4
    if [ ! -s "$source" ]; then source=$1; fi
    [ -s "$source" ] || fail "$4 is gone, and so is $1: have new keys made on this machine, by another value of kubelab:newKeys"
    plan "$1" "$2" "$3" <"$source"
}

planned=()
# Files that weren't there before this step.
declare -A made=()
declare -A content_of=() mode_of=() owner_of=() sum_of=()
plan_unnoted() {
    local content=''
    IFS= read -rd '' content || true
    planned+=("$1")
    content_of[$1]=$content mode_of[$1]=$2 owner_of[$1]=$3 sum_of[$1]=${4:-}
}

# write_planned: writes the planned files that aren't there as they are to be.
write_planned() {
    local path old index octal same=() are=() wrong=()
    for path in "${planned[@]}"; do
        if [ -f "$path" ] && [ ! -L "$path" ] && ! IFS= read -rd '' old <"$path" && [ "$old" = "${content_of[$path]}" ]; then
            same+=("$path")
        else
            wrong+=("$path")
        fi
    done
    planned=()
    if [ "${#same[@]}" -gt 0 ]; then
        mapfile -t are < <(stat -c '%a:%U:%G' "${same[@]}")
        for index in "${!same[@]}"; do
            path=${same[index]}
            printf -v octal '%o' "$((8#${mode_of[$path]}))"
            if [ "${are[index]:-}" != "$octal:${owner_of[$path]}" ]; then wrong+=("$path"); fi
        done
    fi
    if [ "${#wrong[@]}" -gt 0 ]; then write_files "${wrong[@]}"; fi
}

# write_for_later: writes what was planned, and restarts nothing for it: the process reads it when it needs it.
write_for_later() {
    local earlier=$changed
    write_planned
    if [ -z "$earlier" ]; then
        changed=''
        change_applied
    fi
}

# write_files PATH...: a directory where one or two files are replaced has the new ones beside them first; one with more has a directory
# with them, so that one program renames them all.
write_files() {
    local path directory new mode mask name stage=.kubelab.$BASHPID.${EPOCHREALTIME#*[.,]}
    local mine=() stages=() existing=()
    local -A above=() files=() news=() modes=() owners=()
    for path; do
        above[${path%/*}]=1
        if [ -e "$path" ] || [ -L "$path" ]; then
            files[${path%/*}]+=$path$'\n'
            existing+=("$path")
            continue
        fi
        made[$path]=1
        if [ "${path%/*}" = "$manifests" ]; then
            files[${path%/*}]+=$path$'\n'
        else
            news[$path]=$path
        fi
    done
    for directory in "${!files[@]}"; do
        mapfile -t mine <<<"${files[$directory]%$'\n'}"
        new=$directory/$stage
        if [ "${#mine[@]}" -gt 2 ]; then
            stages+=("$new")
            new+=/
        else
            new+=.
        fi
        for path in "${mine[@]}"; do
            news[$path]=$new${path##*/}
        done
    done
    unfinished=("${news[@]}" "${stages[@]}")
    make_directories "${!above[@]}" -- "${stages[@]}" || cannot_write "$1"
    echo changed >"$pending"
    for path; do
        new=${news[$path]} mode=$((8#${mode_of[$path]}))
        # Nobody else can read it from the start.
        printf -v mask '%o' "$((0777 & ~mode))"
        umask "$mask"
        printf '%s' "${content_of[$path]}" >"$new" || cannot_write "$path"
        umask 022
        if ((mode & 07111)); then modes[${mode_of[$path]}]+=$new$'\n'; fi
        if [ "$EUID:${owner_of[$path]}" != 0:root:root ]; then owners[${owner_of[$path]}]+=$new$'\n'; fi
    done
    for name in "${!owners[@]}"; do
        mapfile -t mine <<<"${owners[$name]%$'\n'}"
        chown "$name" "${mine[@]}" || cannot_write "$1"
    done
    for name in "${!modes[@]}"; do
        mapfile -t mine <<<"${modes[$name]%$'\n'}"
        chmod "$name" "${mine[@]}" || cannot_write "$1"
    done
    if [ "${#existing[@]}" -gt 0 ]; then keep_before "${existing[@]}"; fi
    for directory in "${!files[@]}"; do
        mapfile -t mine <<<"${files[$directory]%$'\n'}"
        if [ "${#mine[@]}" -gt 2 ]; then
            mv -f -t "$directory" "${mine[@]/#"$directory"/"$directory/$stage"}" || cannot_write "${mine[0]}"
            continue
        fi
        for path in "${mine[@]}"; do
            mv -fT "${news[$path]}" "$path" || cannot_write "$path"
        done
    done
    if [ "${#stages[@]}" -gt 0 ]; then rmdir "${stages[@]}"; fi
    unfinished=()
    changed=1
}

# Files and directories beside those that are being written.
unfinished=()
cannot_write() {
    umask 022
    rm -rf "${unfinished[@]}" || true
    fail "can't write $1: $(df -h --output=avail,target "${1%/*}" 2>&1 | tail -1) free"
}

# keep_before PATH...: what files were before this step changed them for the first time.
keep_before() {
    local path keep=()
    [ -n "$before" ] || return 0
    for path; do
        if [ -e "$path" ] && [ ! -e "$before$path" ]; then keep+=("$path"); fi
    done
    [ "${#keep[@]}" -gt 0 ] || return 0
    if [ ! -d "$before" ]; then mkdir -m 0700 "$before"; fi
    (cd / && cp -a --parents "${keep[@]#/}" "$before")
}

# change_applied: no change waits for its restart any more.
change_applied() {
    : >"$pending"
}

# put_lines PATH TAG SHA256 <LINES: replaces the lines of the file that end in ` # TAG`, and leaves all others. SHA256 is of the lines
# with their tags.
put_lines() {
    local line others='' found='' own=''
    if [ -e "$1" ]; then
        while IFS= read -r line || [ -n "$line" ]; do
            if [[ $line = *" # $2" ]]; then found+=$line$'\n'; else others+=$line$'\n'; fi
        done <"$1"
    fi
    while IFS= read -r line; do own+="$line # $2"$'\n'; done
    if [ "$found" != "$own" ]; then
        if [ -e "$1" ]; then keep_original "$1"; fi
        plan_unnoted "$1" 0644 root:root < <(printf '%s' "$others$own")
        write_planned
    fi
    note lines "$3" "$2" "$1"
}
