# shellcheck shell=bash
# Makes one connection, or sends one datagram and waits for the answer, and prints what came of it. Needs socat.
#
#   probe NAMESPACE PROTOCOL SOURCE-PORT ADDRESS PORT DSCP SECONDS [PAYLOAD]
#
# NAMESPACE: of the network, as `ip netns` names it; empty for the machine's own. PAYLOAD: base64.
# Output: `exit CODE`, `milliseconds N`, `answer BASE64`, `said TEXT`.
set -euo pipefail

probe() {
    local inside=() directory code=0 start
    if [ -n "$1" ]; then inside=(ip netns exec "$1"); fi
    directory=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$directory'" EXIT
    local options="sourceport=$3,reuseaddr,tos=$(($6 << 2))"
    start=${EPOCHREALTIME//[^0-9]/}
    if [ "$2" = TCP ]; then
        "${inside[@]}" socat -t 0.3 /dev/null "TCP4:$4:$5,$options,connect-timeout=$7" \
            >"$directory/answer" 2>"$directory/said" || code=$?
    else
        # Without an end of its own: it ends with the first answer, or after SECONDS. `shut-none`: no empty datagram at the end of input.
        base64 --decode <<<"${8:-}" >"$directory/payload"
        "${inside[@]}" socat -b 65536 -t "$7" "OPEN:$directory/payload,rdonly!!STDOUT" \
            "UDP4:$4:$5,$options,shut-none" >"$directory/answer" 2>"$directory/said" &
        while [ ! -s "$directory/answer" ] && kill -0 "$!" 2>/dev/null; do sleep 0.02; done
        kill "$!" 2>/dev/null || true
        wait "$!" 2>/dev/null || true
        # What was refused is said, and silence is no answer.
        if [ ! -s "$directory/answer" ]; then code=1; fi
    fi
    printf 'exit %s\nmilliseconds %s\nanswer %s\nsaid %s\n' "$code" "$(((${EPOCHREALTIME//[^0-9]/} - start) / 1000))" \
        "$(head -c 65536 "$directory/answer" | base64 --wrap 0)" "$(tr '\n' ' ' <"$directory/said")"
}
