# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# What a step puts on a machine it writes down in /var/lib/kubelab/record/<step>, for root alone. A line each:
#   file MODE OWNER SHA256 PATH      as it was put; what was there before kubelab is below /var/lib/kubelab/original
#   file PATH                        that it is about to put
#   lines SHA256 TAG PATH            the lines of a file that end in ` # TAG`
#   link TARGET PATH
#   part SHA256 SIZE MTIME PATH      a program: its time of change in seconds since 1970
#   unit NAME                        runs, starts at boot, and has no settings beside its own file
#   sysctl KEY VALUE FORMER
#   directory PATH, user NAME        made by kubelab
#   check SUBJECT COMMAND            bash that prints a line for each thing that differs
# /var/lib/kubelab/steps has the names of steps that have succeeded, so that a lost record is noticed, and `-NAME` for those that were
# undone. check.sh compares, the step's undo forgets.
: "${state:?}"

record=''
# What this run of the step writes. In the place of a record that is right it isn't before it is whole.
draft=/dev/null
# Of an earlier run.
former=()
declare -A noted=() noted_before=()

# begin_record STEP: from here on `note` writes for the step.
begin_record() {
    local line
    record=$state/record/$1
    draft=$record
    if [ ! -d "$state/record" ]; then (umask 077 && mkdir -p "$state/record"); fi
    if [ -e "$record" ]; then
        mapfile -t former <"$record"
        for line in "${former[@]}"; do
            if [[ $line == 'file '* || $line == 'lines '* ]]; then noted_before[/${line#*/}]=1; fi
        done
        draft=$state/record/.$1.new
    fi
    umask 077
    : >"$draft"
    umask 022
}

# note WORD...: a line of the record.
note() {
    [ -n "$record" ] && [ -z "${noted[$*]:-}" ] || return 0
    noted[$*]=1
    printf '%s\n' "$*" >>"$draft"
}

# note_again PATH: a file that another step put is right as it is now.
note_again() {
    local records line
    line="file $(stat -c '%a %U:%G' "$1") $(sha256sum "$1" | cut -d ' ' -f 1) $1"
    mapfile -t records < <(grep -lsE "^file .* ${1//./\\.}\$" "$state/record"/*)
    if [ "${#records[@]}" -gt 0 ]; then sed -i "s|^file .* ${1//./\\.}\$|$line|" "${records[@]}"; fi
}

# make_directories PATH... [-- PATH...]: with those above them; notes the ones that are new, but none after `--`.
make_directories() {
    local above missing=() quiet='' path
    for path; do
        if [ "$path" = -- ]; then quiet=1; fi
        if [ "$path" = -- ] || [ -d "$path" ]; then continue; fi
        missing+=("$path")
        above=$path
        while [ -z "$quiet" ] && [ -n "$above" ] && [ ! -d "$above" ]; do
            note directory "$above"
            above=${above%/*}
        done
    done
    if [ "${#missing[@]}" -gt 0 ]; then mkdir -p "${missing[@]}"; fi
}

# keep_original PATH: before it is changed for the first time; what kubelab itself put is none.
keep_original() {
    local records
    [ -n "$record" ] && [ -z "${noted_before[$1]:-}${noted[file $1]:-}" ] && [ ! -e "$state/original$1" ] || return 0
    records=("$state/record"/* "$state/record"/.*.new)
    # The pattern itself where no file has such a name; the draft is there in any case.
    if [ "${#records[@]}" -gt 2 ] && grep -qsE "^(file|lines) (.* )?${1//./\\.}\$" "${records[@]}"; then return; fi
    (umask 077 && mkdir -p "$state/original${1%/*}")
    cp -a "$1" "$state/original$1"
}

# apply_sysctls PATH: sets what the file says, as at boot; notes what was set before.
proc_sys=/proc/sys
apply_sysctls() {
    local key value is was line
    while IFS=' =' read -r key value; do
        if [[ $key == [#\;]* || -z $key ]]; then continue; fi
        is='' was=''
        { read -r is <"$proc_sys/${key//.//}"; } 2>/dev/null || true
        for line in "${former[@]}"; do
            if [[ $line == "sysctl $key "* ]]; then was=${line##* }; fi
        done
        note sysctl "$key" "$value" "${was:-${is:-unset}}"
        if [ "$is" != "$value" ]; then printf '%s\n' "$value" >"$proc_sys/${key//.//}" || return 1; fi
    done <"$1"
}

# keep_record create|delete: what the step did stays noted, or what it undid is forgotten.
keep_record() {
    local line path sum octal text='' unknown=()
    [ -n "$record" ] || return 0
    if [ "$1" = delete ]; then
        rm -f "$record" "$draft"
        know_step "-${record##*/}"
        return
    fi
    # Made by an earlier run of the step, and there since.
    for line in "${former[@]}"; do
        case $line in 'directory '* | 'user '*) note "$line" ;; esac
    done
    for path in "${!mode_of[@]}"; do
        if [ -z "${sum_of[$path]}" ]; then unknown+=("$path"); fi
    done
    if [ "${#unknown[@]}" -gt 0 ]; then
        while read -r sum path; do sum_of[$path]=$sum; done < <(sha256sum "${unknown[@]}")
    fi
    for path in "${!mode_of[@]}"; do
        [ -n "${noted[file $path]:-}" ] || continue
        printf -v octal '%o' "$((8#${mode_of[$path]}))"
        text+="file $octal ${owner_of[$path]} ${sum_of[$path]} $path"$'\n'
    done
    printf '%s' "$text" >>"$draft"
    if [ "$draft" != "$record" ]; then mv -f "$draft" "$record"; fi
    know_step "${record##*/}"
}

# forget_step NAME: a step of an earlier version, whose files another one has now.
forget_step() {
    [ -e "$state/record/$1" ] || return 0
    rm -f "$state/record/$1"
    know_step "-$1"
}

# know_step NAME|-NAME: the step's name among those of all steps on this machine. Lines are added only: many steps do that at once.
know_step() {
    local line last=''
    if [ -e "$state/steps" ]; then
        while read -r line; do
            if [ "${line#-}" = "${1#-}" ]; then last=$line; fi
        done <"$state/steps"
    fi
    if [ "$last" != "$1" ]; then printf '%s\n' "$1" >>"$state/steps"; fi
}
