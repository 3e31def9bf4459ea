# shellcheck shell=bash
# Functions every step has at hand. A step is one bash script on the standard input of `bash -s -- create|delete`.

# fail MESSAGE...: ends the step with a message for the person at the keyboard.
fail() {
    printf 'kubelab: %s: %s\n' "$(hostname)" "$*" >&2
    exit 1
}

# What kubelab keeps on a machine for itself.
state=/var/lib/kubelab

# put PATH MODE OWNER <CONTENT: writes a file atomically; sets $changed when content, mode or owner were different.
changed=''
# A file that is there while a change waits for its restart: a run that is cut off in between leaves it to the next one.
pending=/dev/null
# What files were before this step changed them, until it has succeeded.
before=''
put() {
    if [ -e "$1" ]; then keep_original "$1"; fi
    note file "$1"
    write_file "$@"
}

write_file() {
    local path=$1 mode=$2 owner=$3 new
    make_directory "${path%/*}"
    new=${path%/*}/.kubelab.$BASHPID
    if ! install -m "$mode" -o "${owner%:*}" -g "${owner#*:}" /dev/stdin "$new"; then
        rm -f "$new" || true
        fail "can't write $path: $(df -h --output=avail,target "${path%/*}" | tail -1) free"
    fi
    if [ -e "$path" ] && cmp -s "$new" "$path" && [ "$(stat -c %a:%U:%G "$new")" = "$(stat -c %a:%U:%G "$path")" ]; then
        rm -f "$new"
    else
        : >"$pending"
        keep_before "$path"
        mv -f "$new" "$path"
        changed=1
    fi
}

# keep_before PATH: what a file was before this step changed it for the first time.
keep_before() {
    [ -n "$before" ] && [ -e "$1" ] && [ ! -e "$before$1" ] || return 0
    mkdir -p "$before${1%/*}"
    cp -a "$1" "$before$1"
}

# change_applied: no change waits for its restart any more.
change_applied() {
    if [ "$pending" != /dev/null ]; then rm -f "$pending"; fi
}

# once NAME: only one script works on NAME at a time, also when the `up` that started the other is long gone. The last to come is
# the one that counts: an earlier one that still waits, for its turn or for something to become healthy, gives up. If the step
# fails, files that it changed become what they were, since the engine too goes on with the step as it was.
turn=''
last_turn=/dev/null
once() {
    mkdir -p /run/kubelab
    last_turn=/run/kubelab/$1.turn
    turn=$$.$EPOCHREALTIME
    printf '%s\n' "$turn" >"$last_turn"
    exec 9>"/run/kubelab/$1.lock"
    flock -w 120 9 || fail "another run still works on $1 after 120 seconds; see 'fuser /run/kubelab/$1.lock'"
    give_way
    pending=/run/kubelab/$1.changed
    if [ -e "$pending" ]; then changed=1; fi
    before=/run/kubelab/$1.before
    (umask 077 && mkdir -p "$before")
    if [ -n "${step:-}" ]; then begin_record "$step"; fi
    trap 'if [ $? -eq 0 ]; then rm -rf "$before"; else put_back; fi' EXIT
}

# give_way: ends this script when a later run has come for the same step: the `up` that started this one is dead. What it has
# changed stays marked as such for the later one, as if this one had been killed.
give_way() {
    local last=''
    [ -n "$turn" ] || return 0
    read -r last <"$last_turn" || true
    [ "$last" != "$turn" ] || return 0
    printf 'kubelab: %s: a later run has taken this step over\n' "$(hostname)" >&2
    trap - EXIT
    exit 1
}

# put_back: makes changed files what they were before the step, and restarts the unit that it had restarted.
restarted=''
put_back() {
    local path back=''
    while IFS= read -r -d '' path; do
        mv -f "$before/$path" "/$path"
        back=1
    done < <(find "$before" ! -type d -printf '%P\0')
    rm -rf "$before"
    [ -n "$back" ] || return 0
    change_applied
    if [ -n "$restarted" ]; then
        systemctl daemon-reload
        service_restart "$restarted"
    fi
    printf 'kubelab: %s: put back what was there before%s\n' "$(hostname)" "${restarted:+, and restarted $restarted with it}" >&2
}

# ensure_user NAME: a system user that can't log in, for one service.
ensure_user() {
    getent passwd "$1" >/dev/null && return
    note user "$1"
    mkdir -p /run/kubelab
    flock -w 60 /run/kubelab/users.lock sh -c "getent passwd '$1' >/dev/null || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin '$1'"
}

# within SECONDS COMMAND...: repeats the command ten times a second until it succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        give_way
        sleep 0.1
    done
}

# listening COMMAND...: whether somebody takes connections where the URL in the command leads to; yes where it has none. A program that
# is started ten times a second for each unit takes the processors from those that are to become healthy; this takes next to nothing.
listening() {
    [[ "$*" =~ ://([0-9.]+):([0-9]+) ]] || return 0
    (: <"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}") 2>/dev/null
}

# service_healthy UNIT SECONDS COMMAND...: waits for the unit's health check; shows its last log lines when that fails, or when
# the unit has ended and been started again eight times.
service_healthy() {
    local unit=$1 deadline=$((SECONDS + $2)) looked=$SECONDS
    shift 2
    while [ "$SECONDS" -lt "$deadline" ]; do
        if listening "$@"; then
            if "$@" >/dev/null 2>&1; then return; fi
            sleep 0.1
        fi
        give_way
        if [ "$SECONDS" -gt "$looked" ]; then
            looked=$SECONDS
            if [ "$(systemctl show -P NRestarts "$unit")" -ge 8 ]; then break; fi
        fi
        sleep 0.1
    done
    {
        printf 'kubelab: %s: %s is not healthy: %s, started again %s times; checked: %s\n' "$(hostname)" "$unit" \
            "$(systemctl show -P ActiveState "$unit")" "$(systemctl show -P NRestarts "$unit")" "$*"
        printf -- '--- journalctl -u %s\n' "$unit"
        journalctl -u "$unit" -n 15 --no-pager -o cat
    } >&2
    exit 1
}

# in_turn: until this script ends, no other restarts a running service of this machine. An API server doesn't end while etcd is
# away, say, nor does etcd start before it has.
turn_taken=''
in_turn() {
    [ -z "$turn_taken" ] || return 0
    exec 8>/run/kubelab/restart.lock
    flock -w 200 8 || fail "another service is being restarted for 200 seconds; see 'fuser /run/kubelab/restart.lock'"
    turn_taken=1
    give_way
}

# service_restart UNIT: starts the unit in the background. The old process is gone by then, so that no health check can meet it.
service_restart() {
    if systemctl is-active --quiet "$1"; then in_turn; fi
    restarted=$1
    systemctl stop "$1"
    # Also sets the count of automatic restarts to zero.
    systemctl reset-failed "$1" 2>/dev/null || true
    systemctl start --no-block "$1"
    change_applied
}

# service_enable UNIT: makes systemd start the unit at boot and know its file as it is now, with nothing beside it: drop-ins of the
# unit's own are set aside. A unit that systemd hasn't loaded yet is read when it starts, and needs no reload of all others.
service_enable() {
    local loaded='' needs_reload='' drop_ins=() drop_in
    note unit "$1"
    systemctl enable --quiet --no-reload "$1"
    while IFS='=' read -r key value; do
        case $key in
            LoadState) loaded=$value ;;
            NeedDaemonReload) needs_reload=$value ;;
            DropInPaths) read -ra drop_ins <<<"$value" ;;
        esac
    done < <(systemctl show --property=LoadState,NeedDaemonReload,DropInPaths "$1")
    for drop_in in "${drop_ins[@]}"; do
        # Not what comes with the system, and not what is for all units.
        if [[ $drop_in == /usr/* || $drop_in == /lib/* || $drop_in != */"$1".service.d/* ]]; then continue; fi
        set_aside "$drop_in"
        changed=1
        needs_reload=yes
    done
    if [ "$needs_reload" = yes ] || [ "$loaded" = masked ]; then systemctl daemon-reload; fi
}

# set_aside PATH: what stands in the way is kept below /var/lib/kubelab/set-aside.
set_aside() {
    (umask 077 && mkdir -p "$state/set-aside${1%/*}")
    mv -f "$1" "$state/set-aside$1"
    rmdir "${1%/*}" 2>/dev/null || true
    printf 'kubelab: %s: %s is not part of the cluster: it is in %s now\n' "$(hostname)" "$1" "$state/set-aside$1" >&2
}

# service_up UNIT SECONDS COMMAND...: enables the unit, (re)starts it when a file of it changed or it isn't running as it should,
# waits for its health.
service_up() {
    service_enable "$1"
    if [ -n "$changed" ] || ! runs_its_program "$1"; then
        service_restart "$1"
    fi
    service_healthy "$@"
}

# runs_its_program UNIT: the unit is active, and its process is the program that is installed now.
runs_its_program() {
    local process
    systemctl is-active --quiet "$1" || return
    process=$(systemctl show -P MainPID "$1")
    [ "$process" = 0 ] || [ ! -e "/usr/local/bin/$1" ] || [ "/proc/$process/exe" -ef "/usr/local/bin/$1" ]
}

# service_refresh UNIT SECONDS COMMAND...: restarts a running unit when a file it has read changed (a renewed certificate, say).
service_refresh() {
    [ -n "$changed" ] && systemctl is-active --quiet "$1" || return 0
    service_restart "$1"
    service_healthy "$@"
}

# service_down UNIT: stops and forgets a unit.
service_down() {
    systemctl disable --now --quiet "$1" 2>/dev/null || true
    rm -f "/etc/systemd/system/$1.service"
    systemctl daemon-reload
}
