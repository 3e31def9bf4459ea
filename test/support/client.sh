#!/bin/bash
# Asks the API for a namespace every fifth of a second, with what the user's kubeconfig has at the moment; five seconds at most.
#   client.sh API_URL DIRECTORY    with the path of the kubeconfig in the file `kubeconfig` of the directory
set -euo pipefail
# shellcheck disable=SC1091
. "${BASH_SOURCE[0]%/*}/requests.sh"
cd "$2"
kubeconfig=$(<kubeconfig)
trap exit TERM
trap 'kill $(jobs -p) 2>/dev/null' EXIT

# field NAME: a PEM text of the kubeconfig, into a file of the request's own.
field() { sed -n "s/^ *$1-data: //p" "$kubeconfig" | base64 -d >"$number.$1"; }

ask() {
    field certificate-authority
    field client-certificate
    field client-key
    # As client-go, it asks again where a connection is cut.
    request "$1/api/v1/namespaces/default" 5 --retry 5 --retry-delay 1 --retry-all-errors --retry-max-time 5 --cacert "$number.certificate-authority" --cert "$number.client-certificate" \
        --key "$number.client-key"
    rm "$number".*
}

for ((number = 1; ; number++)); do
    ask "$1" &
    sleep 0.2
done
