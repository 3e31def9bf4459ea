# shellcheck shell=bash
FILE=/etc/kubernetes/kubelet/kubelet.yaml

inject() {
    keep "$FILE"
    replace "- $CLUSTER_DNS" "- ${CLUSTER_DNS%.*}.253" "$FILE"
    systemctl restart kubelet
}

undo() {
    put_back "$FILE" || true
    running kubelet
    forget
}
