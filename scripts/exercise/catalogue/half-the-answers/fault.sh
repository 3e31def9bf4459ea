# shellcheck shell=bash
inject() {
    ip route del "$WORKER_PODS"
}

undo() {
    systemctl reload kubenet
}
