# shellcheck shell=bash
FILE=/etc/kubernetes/kube-proxy/kube-proxy.yaml

inject() {
    keep "$FILE"
    replace "$POD_CIDR" "$SERVICE_CIDR" "$FILE"
    systemctl restart kube-proxy
}

undo() {
    put_back "$FILE" || true
    running kube-proxy
    forget
}
