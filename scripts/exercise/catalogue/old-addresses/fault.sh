# shellcheck shell=bash
inject() {
    systemctl disable --quiet --now kube-proxy
}

undo() {
    running kube-proxy
}
