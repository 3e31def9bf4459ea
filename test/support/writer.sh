#!/bin/bash
# Writes a ConfigMap of its own every fifth of a second through the API, whether the ones before are answered or not, as many clients do.
#   writer.sh API_URL DIRECTORY    with ca.crt, client.crt and client.key in the directory
set -euo pipefail
# shellcheck disable=SC1091
. "${BASH_SOURCE[0]%/*}/requests.sh"
api=$1/api/v1/namespaces/default/configmaps
cd "$2"
trap exit TERM
trap 'kill $(jobs -p) 2>/dev/null' EXIT

for ((number = 1; ; number++)); do
    body='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"write-'$number'"}}'
    request "$api" 5 --cacert ca.crt --cert client.crt --key client.key -H 'Content-Type: application/json' -d "$body" &
    sleep 0.2
done
