# shellcheck shell=bash
# What a step puts on a machine it writes down in /var/lib/kubelab/record/<step>, for root alone, once it has succeeded. A line each:
#   file MODE OWNER SHA256 PATH      as it was put; what was there before kubelab is below /var/lib/kubelab/original
#   lines SHA256 TAG PATH            the lines of a file that end in ` # TAG`
#   link TARGET PATH
#   part SHA256 SIZE MTIME PATH      a program: its time of change in seconds since 1970
#   unit NAME                        runs, starts at boot, and has no settings beside its own file
#   sysctl KEY VALUE FORMER
#   directory PATH, user NAME        made by kubelab
#   check SUBJECT COMMAND            bash that prints a line for each thing that differs
# /var/lib/kubelab/steps has the names of all steps, so that a lost record is noticed. check.sh compares, the step's undo forgets.
# Set by step-library.sh, which comes with this one.
: "${state:?}"
record=''
draft=/dev/null

# begin_record STEP: from here on `note` writes for the step.
begin_record() {
    if [ ! -d "$state/record" ]; then (umask 077 && mkdir -p "$state/record"); fi
    (umask 077 && : >"$state/record/.$1.new")
    record=$state/record/$1
    draft=$state/record/.$1.new
}

# note WORD...: a line of the record.
note() {
    if [ -n "$record" ]; then printf '%s\n' "$*" >>"$draft"; fi
}

# note_again PATH: a file that another step put is right as it is now.
note_again() {
    local records line
    line="file $(stat -c '%a %U:%G' "$1") $(sha256sum "$1" | cut -d ' ' -f 1) $1"
    mapfile -t records < <(grep -lsE "^file .* ${1//./\\.}\$" "$state/record"/*)
    if [ "${#records[@]}" -gt 0 ]; then sed -i "s|^file .* ${1//./\\.}\$|$line|" "${records[@]}"; fi
}

# make_directory PATH: with those above it; notes the ones that are new.
make_directory() {
    local above=$1 new=()
    if [ -d "$1" ]; then return; fi
    while [ -n "$above" ] && [ ! -d "$above" ]; do
        new+=("$above")
        above=${above%/*}
    done
    mkdir -p "$1"
    for above in "${new[@]}"; do note directory "$above"; done
}

# keep_original PATH: before it is changed for the first time; what kubelab itself put is none.
keep_original() {
    [ -n "$record" ] && [ ! -e "$state/original$1" ] || return 0
    if grep -qsE "^(file|lines) (.* )?${1//./\\.}\$" "$state/record"/* "$state/record"/.*.new; then return; fi
    (umask 077 && mkdir -p "$state/original${1%/*}")
    cp -a "$1" "$state/original$1"
}

# put_lines PATH TAG <LINES: replaces the lines of the file that end in ` # TAG`, and leaves all others.
put_lines() {
    local lines
    lines=$(sed "s/\$/ # $2/")
    if [ -e "$1" ]; then keep_original "$1"; fi
    write_file "$1" 0644 root:root < <(
        grep -v " # $2\$" "$1" || true
        printf '%s\n' "$lines"
    )
    note lines "$(printf '%s\n' "$lines" | sha256sum | cut -d ' ' -f 1)" "$2" "$1"
}

# apply_sysctls PATH: sets what the file says, as at boot; notes what was set before.
apply_sysctls() {
    local key value former
    while IFS=' =' read -r key value; do
        if [[ $key == [#\;]* || -z $key ]]; then continue; fi
        former=$(sed -n "s/^sysctl ${key//./\\.} [^ ]* //p" "$record" 2>/dev/null || true)
        note sysctl "$key" "$value" "${former:-$(sysctl -n "$key" 2>/dev/null || echo unset)}"
    done <"$1"
    sysctl -q --load="$1"
}

# keep_record create|delete: what the step did stays noted, or what it undid is forgotten.
keep_record() {
    local lines=() line index paths=() sums owners
    local -A noted=()
    [ -n "$record" ] || return 0
    if [ "$1" = delete ]; then
        rm -f "$record" "$draft"
        know_step delete
        return
    fi
    mapfile -t lines <"$draft"
    if [ -e "$record" ]; then
        # Made by an earlier run of the step, and there since.
        while IFS= read -r line; do
            case $line in 'directory '* | 'user '*) lines+=("$line") ;; esac
        done <"$record"
    fi
    : >"$draft"
    for line in "${lines[@]}"; do
        [ -z "${noted[$line]:-}" ] || continue
        noted[$line]=1
        case $line in
            'file '*) paths+=("${line#file }") ;;
            *) printf '%s\n' "$line" >>"$draft" ;;
        esac
    done
    if [ "${#paths[@]}" -gt 0 ]; then
        mapfile -t sums < <(sha256sum "${paths[@]}")
        mapfile -t owners < <(stat -c '%a %U:%G' "${paths[@]}")
        for index in "${!paths[@]}"; do
            printf 'file %s %s %s\n' "${owners[index]}" "${sums[index]%% *}" "${paths[index]}" >>"$draft"
        done
    fi
    mv -f "$draft" "$record"
    know_step create
}

# know_step create|delete: the step's name among those of all steps on this machine.
know_step() {
    local name=${record##*/} known=''
    if [ -e "$state/steps" ]; then known=$(<"$state/steps"); fi
    if [[ $1 == create && $'\n'$known$'\n' == *$'\n'"$name"$'\n'* ]]; then return; fi
    exec 8>/run/kubelab/steps.lock
    flock -w 10 8 || return 0
    if [ "$1" = create ]; then
        printf '%s\n' "$name" >>"$state/steps"
    else
        { grep -vxF "$name" "$state/steps" || true; } >"$state/.steps"
        mv -f "$state/.steps" "$state/steps"
    fi
    exec 8>&-
}
