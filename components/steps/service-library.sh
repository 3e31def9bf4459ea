# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# How a step runs a systemd unit, and knows that it works.
: "${state:?}" "${changed?}"

# service_state UNIT: what systemd knows of the unit.
declare -A unit=()
service_state() {
    local key value
    unit=()
    if unknown_yet "$1"; then
        unit=([ActiveState]=inactive)
        return
    fi
    while IFS='=' read -r key value; do unit[$key]=$value; done < <(
        systemctl show --property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,DropInPaths,MainPID,NRestarts "$1"
    )
}

# unknown_yet UNIT: a unit whose file this step has just put there for the first time, that doesn't run and has no settings beside its
# file: systemd needn't be asked.
unknown_yet() {
    local name=$1 beside
    if [[ $name != *.* ]]; then name+=.service; fi
    [ -n "${made[$units/$name]:-}" ] && [ ! -L "/run/systemd/units/invocation:$name" ] || return
    for beside in "$units" /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
        [ ! -e "$beside/$name.d" ] || return
    done
    unset "made[$units/$name]"
}

# service_up UNIT SECONDS COMMAND...: enables the unit, (re)starts it when a file of it changed or it isn't running as it should,
# waits for its health.
service_up() {
    service_settle "$1"
    if [ -n "$changed" ] || ! runs_its_program "$1"; then
        service_restart "$1"
    else
        service_enable "$1"
    fi
    service_healthy "$@"
}

# service_settle UNIT: makes systemd know the unit's file as it is now, with nothing beside it: drop-ins of the unit's own are set
# aside. A unit that systemd hasn't loaded yet is read when it starts, and needs no reload of all others.
service_settle() {
    local drop_ins=() drop_in
    note unit "$1"
    service_state "$1"
    read -ra drop_ins <<<"${unit[DropInPaths]:-}" || true
    for drop_in in "${drop_ins[@]}"; do
        # Not what comes with the system, and not what is for all units.
        if [[ $drop_in == /usr/* || $drop_in == /lib/* || $drop_in != */"$1".service.d/* ]]; then continue; fi
        set_aside "$drop_in"
        changed=1
        unit[NeedDaemonReload]=yes
    done
    if [ "${unit[NeedDaemonReload]:-}" = yes ] || [ "${unit[LoadState]:-}" = masked ]; then systemctl daemon-reload; fi
}

# set_aside PATH: what stands in the way is kept below /var/lib/kubelab/set-aside.
set_aside() {
    (umask 077 && mkdir -p "$state/set-aside${1%/*}")
    mv -f "$1" "$state/set-aside$1"
    rmdir "${1%/*}" 2>/dev/null || true
    printf 'kubelab: %s: %s is not part of the cluster: it is in %s now\n' "$HOSTNAME" "$1" "$state/set-aside$1" >&2
}

# service_enabled UNIT: whether it starts at boot. systemd itself may remember what it was.
units=/etc/systemd/system
service_enabled() {
    local name=$1 link
    if [[ $name != *.* ]]; then name+=.service; fi
    for link in "$units"/*.wants/"$name"; do
        if [ -L "$link" ]; then return 0; fi
    done
    return 1
}

# service_enable UNIT: makes systemd start the unit at boot.
service_enable() {
    service_enabled "$1" || systemctl enable --quiet --no-reload "$1"
}

# runs_its_program UNIT: the unit is active, and its process is the program that is installed now. Of what service_state has told.
runs_its_program() {
    local process=${unit[MainPID]:-0}
    [ "${unit[ActiveState]:-}" = active ] || return
    [ "$process" = 0 ] || [ ! -e "/usr/local/bin/$1" ] || [ "/proc/$process/exe" -ef "/usr/local/bin/$1" ]
}

# service_restart UNIT: starts the unit in the background, and at boot. The old process is gone by then, so that no health check can
# meet it. Of what service_state has told.
service_restart() {
    if [ "${unit[ActiveState]:-}" = active ]; then in_turn; fi
    restarted=$1
    case ${unit[ActiveState]:-} in
        inactive | failed) ;;
        *) systemctl stop "$1" ;;
    esac
    # Sets the count of automatic restarts to zero.
    if [ "${unit[ActiveState]:-}" = failed ] || [ "${unit[NRestarts]:-0}" != 0 ]; then
        systemctl reset-failed "$1" 2>/dev/null || true
    fi
    if service_enabled "$1"; then
        systemctl start --no-block "$1"
    else
        systemctl enable --quiet --no-reload --now --no-block "$1"
    fi
    change_applied
}

# service_healthy UNIT SECONDS COMMAND...: waits for the unit's health check, for as long as the unit makes progress and SECONDS more,
# five times SECONDS at most. Shows its last log lines when that fails, or when the unit has ended and been started again eight times.
service_healthy() {
    local name=$1 patience=$2 deadline=$((SECONDS + $2)) last=$((SECONDS + 5 * $2)) gap=3 look=$((SECONDS + 3)) asked=''
    shift 2
    worker='' worked=0 worked_at=$SECONDS
    while [ "$SECONDS" -lt "$deadline" ]; do
        if [ "$1" = curl ] && [ "$asked" != once ]; then
            if [ -z "$asked" ] && listening "$@"; then keep_asking "$@"; fi
            if [ -n "$asked" ] && told_200; then return; fi
        elif listening "$@" && "$@" >/dev/null 2>&1; then
            return
        fi
        give_way
        # It is started again once a second.
        if [ "$SECONDS" -ge "$look" ]; then
            service_state "$name"
            if [ "${unit[NRestarts]:-0}" -ge 8 ]; then break; fi
            if service_progresses; then
                deadline=$((SECONDS + patience < last ? SECONDS + patience : last))
            fi
            gap=$((gap < patience / 4 ? gap * 2 : gap)) look=$((SECONDS + gap))
        fi
        pause 0.1
    done
    stop_asking
    service_state "$name"
    # Between two starts its last words are those of its end, and not half of its usage.
    if [ "${unit[NRestarts]:-0}" != 0 ]; then within 3 has_ended "$name" || true; fi
    journalctl --sync >/dev/null 2>&1 || true
    {
        printf 'kubelab: %s: %s is not healthy: %s, started again %s times; checked: %s\n' "$HOSTNAME" "$name" \
            "${unit[ActiveState]:-}" "${unit[NRestarts]:-}" "$*"
        printf -- '--- journalctl -u %s\n' "$name"
        journalctl -u "$name" -n 15 --no-pager -o cat
    } >&2
    exit 1
}

# has_ended UNIT: whether no process of it runs.
has_ended() {
    service_state "$1"
    [[ ${unit[SubState]:-} == @(auto-restart*|failed|dead) ]]
}

# service_progresses: whether the unit has come further since this was asked last. Of what service_state has told.
# One that hasn't begun waits for what comes before it: that has a deadline of its own. A process that starts works as much as it is
# let: it counts when it has had a tenth of its share of a core. One that was started again begins anew.
worker='' worked=0 worked_at=0 proc=/proc
service_progresses() {
    local process=${unit[MainPID]:-0} stat='' fields before=$worked since=$worked_at who=$worker load cpus cores
    if [ "${unit[SubState]:-}" = start-pre ]; then return; fi
    { [ "$process" != 0 ] && read -r stat <"$proc/$process/stat"; } 2>/dev/null || return
    # After the name, which may have blanks in it: the state, and eleven words later the hundredths of a second in user and system.
    read -ra fields <<<"${stat##*) }"
    worker=$process worked=$((fields[11] + fields[12])) worked_at=$SECONDS
    [ "${who:-$process}" = "$process" ] && [ "$SECONDS" -gt "$since" ] || return
    read -r load _ <"$proc/loadavg"
    load=$((10#${load/./}))
    cpus=(/sys/devices/system/cpu/cpu[0-9]*)
    cores=$((${#cpus[@]} * 100))
    [ $(((worked - before) * 10 * (load > cores ? load : cores) / cores)) -ge $(((SECONDS - since) * 100)) ]
}

# keep_asking curl ARGUMENT... URL: one curl asks ten times a second, instead of ten that are started. It tells on
# its standard error, which it doesn't hold back. Sets $asked: its descriptor. It keeps neither locks nor the step's end to itself.
keep_asking() {
    local url=${!#}
    exec {asked}< <(exec 7>&- 8>&- 9>&-; exec "${@:1:$#-1}" --rate 10/s -o /dev/null -w '%{stderr}%{http_code}\n' "$url#[1-9000]" 2>&1)
    asker=$!
}

# told_200: whether an answer to it was 200. One that can't do that, before version 7.84, has ended: then it is asked once at a time.
told_200() {
    local code status=0
    while status=0; IFS= read -rt 0.01 -u "$asked" code || status=$?; [ "$status" -eq 0 ]; do
        if [ "$code" = 200 ]; then
            stop_asking
            exec {asked}<&-
            return 0
        fi
    done
    if [ "$status" -eq 1 ]; then
        exec {asked}<&-
        asked=once
    fi
    return 1
}

# service_refresh UNIT SECONDS COMMAND...: restarts a running unit when a file it has read changed (a renewed certificate, say).
service_refresh() {
    [ -n "$changed" ] && [ -e "$units/$1.service" ] || return 0
    service_state "$1"
    [ "${unit[ActiveState]:-}" = active ] || return 0
    service_restart "$1"
    service_healthy "$@"
}

# service_run UNIT: has a unit that does something once do that, at boot too; once more where it has done it before.
service_run() {
    service_settle "$1"
    if [ "${unit[ActiveState]:-}" = inactive ] && ! service_enabled "$1"; then
        systemctl enable --quiet --no-reload --now "$1"
    else
        service_enable "$1" && systemctl reload-or-restart "$1"
    fi
}

# service_down UNIT: stops and forgets a unit.
service_down() {
    systemctl disable --now --quiet "$1" 2>/dev/null || true
    rm -f "$units/$1.service"
    systemctl daemon-reload
}
