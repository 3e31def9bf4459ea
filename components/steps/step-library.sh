# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# Functions every step has at hand; a machine has them as one file, which steps read (script.ts). A step is one bash script on the
# standard input of `bash -s -- create|delete`. On a busy machine each program that is started is dear: bash itself reads, compares,
# waits and asks ports here.

# What a step makes is for everyone to read but where it says otherwise.
umask 022

# A step talks to its own cluster, and no proxy that a host's environment may name leads there.
outer_no_proxy=${no_proxy:-${NO_PROXY:-}}
export no_proxy='*' NO_PROXY='*'

# outside COMMAND...: runs a command that goes beyond the cluster, by the host's own proxies.
outside() {
    no_proxy=$outer_no_proxy NO_PROXY=$outer_no_proxy "$@"
}

# fail MESSAGE...: ends the step with a message for the person at the keyboard.
fail() {
    printf 'kubelab: %s: %s\n' "$HOSTNAME" "$*" >&2
    exit 1
}

# What kubelab keeps on a machine for itself.
state=/var/lib/kubelab
run=/run/kubelab

# once NAME: only one script works on NAME at a time, also when the `up` that started the other is long gone. The last to come is
# the one that counts: an earlier one that still waits, for its turn or for something to become healthy, gives up. If the step
# fails, files that it changed become what they were, since the engine too goes on with the step as it was.
turn=''
last_turn=/dev/null
once() {
    if [ ! -d "$run" ]; then mkdir -p "$run"; fi
    last_turn=$run/$1.turn
    turn=$$.$EPOCHREALTIME
    printf '%s\n' "$turn" >"$last_turn"
    exec 9>"$run/$1.lock"
    flock -w 120 9 || fail "another run still works on $1 after 120 seconds; see 'fuser $run/$1.lock'"
    give_way
    pending=$run/$1.changed
    if [ -s "$pending" ]; then changed=1; fi
    before=$run/$1.before
    if [ -n "${step:-}" ]; then begin_record "$step"; fi
    trap 'if [ $? -ne 0 ]; then put_back; elif [ -d "$before" ]; then rm -rf "$before"; fi' EXIT
}

# give_way: ends this script when a later run has come for the same step: the `up` that started this one is dead. What it has
# changed stays marked as such for the later one, as if this one had been killed.
give_way() {
    local last=''
    [ -n "$turn" ] || return 0
    read -r last <"$last_turn" || true
    [ "$last" != "$turn" ] || return 0
    printf 'kubelab: %s: a later run has taken this step over\n' "$HOSTNAME" >&2
    trap - EXIT
    stop_asking
    exit 1
}

# stop_asking: ends the curl of a health check that goes on.
asker=''
stop_asking() {
    if [ -n "$asker" ]; then kill "$asker" 2>/dev/null || true; fi
    asker=''
}

# put_back: makes changed files what they were before the step, and restarts the unit that it had restarted.
restarted=''
put_back() {
    local path back=''
    [ -d "$before" ] || return 0
    while IFS= read -r -d '' path; do
        mv -f "$before/$path" "/$path"
        back=1
    done < <(find "$before" ! -type d -printf '%P\0')
    rm -rf "$before"
    [ -n "$back" ] || return 0
    change_applied
    if [ -n "$restarted" ]; then
        systemctl daemon-reload
        service_state "$restarted"
        service_restart "$restarted"
    fi
    printf 'kubelab: %s: put back what was there before%s\n' "$HOSTNAME" "${restarted:+, and restarted $restarted with it}" >&2
}

# ensure_user NAME: a system user that can't log in, for one service.
ensure_user() {
    user_exists "$1" && return
    note user "$1"
    # Another step may be adding one: useradd waits for it, and some versions of it give up.
    within 60 add_user "$1" || fail "can't add the user $1: $(add_user "$1" 2>&1)"
}

add_user() {
    user_exists "$1" || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1"
}

# user_exists NAME: it may also be one of a directory service.
user_exists() {
    local name nsswitch=/etc/nsswitch.conf
    if [ ! -e "$nsswitch" ]; then nsswitch=/dev/null; fi
    while IFS=: read -r name _; do
        if [ "$name" = "$1" ]; then return; fi
    done </etc/passwd
    while read -r name; do
        if [[ $name =~ ^passwd:.*(sss|ldap|nis|winbind) ]]; then
            getent passwd "$1" >/dev/null
            return
        fi
    done <"$nsswitch"
    return 1
}

# pause SECONDS: reads from a pipe that nobody writes to.
idle=''
pause() {
    if [ -z "$idle" ]; then exec {idle}<> <(:); fi
    read -rt "$1" -u "$idle" || true
}

# within SECONDS COMMAND...: repeats the command ten times a second until it succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        give_way
        pause 0.1
    done
}

# listening COMMAND...: whether somebody takes connections where the URL in the command leads to; yes where it has none.
listening() {
    [[ "$*" =~ ://([0-9.]+):([0-9]+) ]] || return 0
    (: <"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}") 2>/dev/null
}

# serves SOCKET COMMAND...: whether the command succeeds; it isn't asked before there is the socket.
serves() {
    [ -S "$1" ] && shift && "$@"
}

# answers URL: whether GET http://ADDRESS:PORT/PATH is answered with 200 within five seconds.
answers() (
    status=''
    [[ $1 =~ ^http://([^:/]+):([0-9]+)(/.*)$ ]] || exit 1
    exec 6<>"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "${BASH_REMATCH[3]}" "${BASH_REMATCH[1]}" >&6
    read -rt 5 status <&6
    [[ $status == HTTP/1.?\ 200\ * ]]
) 2>/dev/null

# in_turn: until this script ends, no other restarts a running service of this machine. An API server doesn't end while etcd is
# away, say, nor does etcd start before it has.
turn_taken=''
in_turn() {
    [ -z "$turn_taken" ] || return 0
    exec 8>"$run/restart.lock"
    flock -w 500 8 || fail "another service is being restarted for 500 seconds; see 'fuser $run/restart.lock'"
    turn_taken=1
    give_way
}
