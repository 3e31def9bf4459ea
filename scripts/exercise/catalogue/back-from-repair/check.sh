# shellcheck shell=bash
status=$(kubectl --request-timeout=10s get node "$WORKER" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') || still "the API doesn't answer"
[ "$status" = True ] || still "$WORKER is NotReady"
