# shellcheck shell=bash disable=SC2154 # $number is the caller's
# request URL SECONDS CURL_ARGUMENT...: sends it, and notes in the file `requests` of this directory: its number, when it was sent and
# answered in milliseconds since 1970, and the HTTP status (000 where there was no answer).

now() { printf '%s' $((${EPOCHREALTIME/./} / 1000)); }

request() {
    local url=$1 seconds=$2 sent status
    shift 2
    sent=$(now)
    status=$(curl -s --max-time "$seconds" -o /dev/null -w '%{http_code}' "$@" "$url") || true
    printf '%s %s %s %s\n' "$number" "$sent" "$(now)" "$status" >>requests
}
