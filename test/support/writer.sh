#!/bin/bash
# Writes a ConfigMap of its own every fifth of a second through the API, and notes each: its number, when it was sent and answered in
# milliseconds since 1970, and the HTTP status (000 where there was no answer).
#   writer.sh API_URL DIRECTORY    with ca.crt, client.crt and client.key in the directory; the notes are in its file `writes`
set -euo pipefail
api=$1/api/v1/namespaces/default/configmaps
cd "$2"

now() { printf '%s' $((${EPOCHREALTIME/./} / 1000)); }

for ((number = 1; ; number++)); do
    body='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"write-'$number'"}}'
    sent=$(now)
    status=$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' --cacert ca.crt --cert client.crt --key client.key \
        -H 'Content-Type: application/json' -d "$body" "$api") || true
    printf '%s %s %s %s\n' "$number" "$sent" "$(now)" "$status" >>writes
    sleep 0.2
done
