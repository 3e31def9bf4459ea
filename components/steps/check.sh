# shellcheck shell=bash
# Compares a machine with what the steps wrote down of it (record-library.sh), and prints each difference as `SUBJECT: DIFFERENCE`.
# Changes nothing and shows no content of any file. Runs as root, by `bash -s`.
set -euo pipefail
state=/var/lib/kubelab
# What it asks is its own cluster, and no proxy that a host's environment may name leads there.
export no_proxy='*' NO_PROXY='*'

# Seconds that a check with a command of its own is given.
export CHECK_TIMEOUT=15

differs() {
    printf '%s: %s\n' "$1" "$2"
}

# Everything in one array per kind of line: one call of each program is enough for all of them.
files=() lines_of=() links=() programs=() units=() sysctls=() users=() checks=()
read_records() {
    local name kind rest
    local -A known=()
    if [ ! -s "$state/steps" ] || [ ! -d "$state/record" ]; then
        differs "$state" "the record of what was set up is gone"
        return
    fi
    # `-NAME` undoes NAME.
    while read -r name; do
        if [[ $name == -* ]]; then unset "known[${name#-}]"; else known[$name]=1; fi
    done <"$state/steps"
    for name in "${!known[@]}"; do
        if [ ! -e "$state/record/$name" ]; then
            differs "$state/record/$name" gone
            continue
        fi
        while read -r kind rest; do
            case $kind in
                # The other form is of a step that didn't come to its end.
                file) if [[ $rest != /* ]]; then files+=("$rest"); fi ;;
                lines) lines_of+=("$rest") ;;
                link) links+=("$rest") ;;
                part) programs+=("$rest") ;;
                unit) units+=("$rest") ;;
                sysctl) sysctls+=("$rest") ;;
                user) users+=("$rest") ;;
                check) checks+=("$rest") ;;
            esac
        done <"$state/record/$name"
    done
}

check_files() {
    local line mode owner sum path sums='' paths=()
    declare -A is=() has=()
    for line in "${files[@]}"; do
        read -r mode owner sum path <<<"$line"
        paths+=("$path")
    done
    [ "${#paths[@]}" -gt 0 ] || return 0
    while read -r line path; do is[$path]=$line; done < <(stat -c '%a:%U:%G:%F %n' "${paths[@]}" 2>/dev/null | sed 's/regular \(empty \)*file/file/; s/symbolic link/link/')
    while read -r sums path; do has[$path]=$sums; done < <(sha256sum "${paths[@]}" 2>/dev/null)
    for line in "${files[@]}"; do
        read -r mode owner sum path <<<"$line"
        case ${is[$path]:-} in
            '') differs "$path" gone ;;
            *:file)
                if [ "${has[$path]:-}" != "$sum" ]; then differs "$path" edited; fi
                if [ "${is[$path]%:file}" != "$mode:$owner" ]; then
                    differs "$path" "mode and owner $(tr : ' ' <<<"${is[$path]%:file}"), not $mode $(tr : ' ' <<<"$owner")"
                fi
                ;;
            *) differs "$path" "is no file any more" ;;
        esac
    done
}

check_lines() {
    local line sum tag path
    for line in "${lines_of[@]}"; do
        read -r sum tag path <<<"$line"
        if [ "$(grep " # $tag\$" "$path" 2>/dev/null | sha256sum | cut -d ' ' -f 1)" != "$sum" ]; then
            differs "$path" "lines that end in '# $tag' are gone or changed"
        fi
    done
}

check_links() {
    local line target path
    for line in "${links[@]}"; do
        read -r target path <<<"$line"
        if [ ! -e "$path" ] && [ ! -L "$path" ]; then
            differs "$path" gone
        elif [ "$(readlink "$path" || true)" != "$target" ]; then
            differs "$path" "isn't the link to $target any more"
        fi
    done
}

# A program is read only when its size or time of change differs.
check_programs() {
    local line sum size time path
    for line in "${programs[@]}"; do
        read -r sum size time path <<<"$line"
        if [ ! -e "$path" ]; then
            differs "$path" gone
        elif [ "$(stat -c '%s %Y' "$path")" != "$size $time" ] && [ "$(sha256sum "$path" | cut -d ' ' -f 1)" != "$sum" ]; then
            differs "$path" "isn't the program that was put there"
        fi
    done
}

check_units() {
    local line id='' loaded='' active='' process='' drop_ins=''
    [ "${#units[@]}" -gt 0 ] || return 0
    while IFS= read -r line; do
        case $line in
            Id=*) id=${line#*=} ;;
            LoadState=*) loaded=${line#*=} ;;
            ActiveState=*) active=${line#*=} ;;
            MainPID=*) process=${line#*=} ;;
            DropInPaths=*) drop_ins=${line#*=} ;;
            '')
                check_unit
                drop_ins=''
                ;;
        esac
    done < <(systemctl show --property=Id,LoadState,ActiveState,MainPID,DropInPaths "${units[@]}" && echo)
}

# Reads the variables of check_units.
check_unit() {
    local name=${id%.service} enabled drop_in
    case $loaded in
        loaded) ;;
        not-found)
            differs "$id" gone
            return
            ;;
        *) differs "$id" "$loaded" ;;
    esac
    if [ "$active" != active ]; then differs "$id" "$active"; fi
    # systemd itself may remember what it was.
    enabled=$(systemctl is-enabled "$id" 2>/dev/null || true)
    if [ "$loaded" = loaded ] && [ "$enabled" != enabled ]; then differs "$id" "doesn't start at boot: $enabled"; fi
    for drop_in in $drop_ins; do
        if [[ $drop_in == */"$id".d/* && $drop_in != /usr/* && $drop_in != /lib/* ]]; then differs "$id" "has other settings from $drop_in"; fi
    done
    if [ "${process:-0}" != 0 ] && [ "$active" = active ] && [ -e "/usr/local/bin/$name" ] && [ ! "/proc/$process/exe" -ef "/usr/local/bin/$name" ]; then
        differs "$id" "runs another program than /usr/local/bin/$name"
    fi
}

check_sysctls() {
    local line key value is
    for line in "${sysctls[@]}"; do
        read -r key value _ <<<"$line"
        is=$(sysctl -n "$key" 2>/dev/null || echo gone)
        if [ "$is" != "$value" ]; then differs "sysctl $key" "$is, not $value"; fi
    done
}

check_users() {
    local name
    for name in "${users[@]}"; do
        getent passwd "$name" >/dev/null || differs "user $name" gone
    done
}

run_check() {
    local subject=${1%% *} command=${1#* } status=0 answer line
    answer=$(timeout "$CHECK_TIMEOUT" bash -c "$command" 2>&1 </dev/null) || status=$?
    case $status in
        0) ;;
        124) answer="no answer within $CHECK_TIMEOUT seconds" ;;
        *) answer="can't be checked: ${answer##*$'\n'}" ;;
    esac
    while IFS= read -r line; do
        if [ -n "$line" ]; then differs "$subject" "$line"; fi
    done <<<"$answer"
}

# shellcheck disable=SC2016 # expanded by the inner shells
run_checks() {
    [ "${#checks[@]}" -gt 0 ] || return 0
    export -f differs run_check
    printf '%s\0' "${checks[@]}" | xargs -0 -P 4 -n 1 bash -c 'run_check "$1"' check
}

check_machine() {
    read_records
    check_units
    check_files
    check_lines
    check_links
    check_programs
    check_sysctls
    check_users
    run_checks
}
check_machine </dev/null
