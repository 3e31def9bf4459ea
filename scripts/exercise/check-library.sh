# shellcheck shell=bash
# What the checks of exercises share. check.sh follows. It runs on the workstation with kubectl, and has the facts of scene.ts as variables.
# It looks at what people see of the cluster, and not at what was broken. It ends with 0 where the symptom is gone, else its last line says
# what is still seen.
set -euo pipefail

in_ns() {
    kubectl --request-timeout=10s --namespace "$NAMESPACE" "$@"
}

still() {
    printf '%s\n' "$*" >&2
    exit 1
}

# inside DEPLOYMENT COMMAND...: in a pod of it.
inside() {
    timeout 20 kubectl --namespace "$NAMESPACE" exec "deployment/$1" -- "${@:2}"
}

# fetch DEPLOYMENT URL [OPTION...]: what curl gets there.
fetch() {
    inside "$1" curl -sS --fail --max-time 4 "${@:3}" "$2"
}

# rolled_out DEPLOYMENT: all its pods are of its last version, and available.
rolled_out() {
    local said
    said=$(in_ns rollout status deployment "$1" --timeout=3s 2>&1) || still "deployment $1: ${said%%$'\n'*}"
}

# fetch_often DEPLOYMENT URL TIMES: each call has its answer within a second, by a connection of its own.
fetch_often() {
    # shellcheck disable=SC2016 # the pod's own variables
    inside "$1" sh -c 'for n in $(seq "$1"); do curl -sS --fail --max-time 1 -o /dev/null "$0" || { echo "call $n of $1"; exit 1; }; done' "$2" "$3"
}
