# shellcheck shell=bash
inject() {
    kubectl "${NS[@]}" create quota team --hard=pods=2
    kubectl "${NS[@]}" wait resourcequota team --for=jsonpath='{.status.used.pods}'=2 --timeout=60s
    kubectl "${NS[@]}" scale deployment shop --replicas=4
}

# The namespace goes, and the quota with it.
undo() {
    :
}
