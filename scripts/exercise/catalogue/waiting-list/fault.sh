# shellcheck shell=bash
inject() {
    kubectl taint nodes -l node-role.kubernetes.io/worker maintenance=planned:NoSchedule --overwrite
    kubectl "${NS[@]}" scale deployment shop --replicas=4
}

undo() {
    if kubectl get nodes -o jsonpath='{.items[*].spec.taints[*].key}' | grep -qw maintenance; then
        kubectl taint nodes -l node-role.kubernetes.io/worker maintenance-
    fi
}
