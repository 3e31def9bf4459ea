# shellcheck shell=bash
FILE=/etc/kubernetes/kubelet/kubelet.yaml

inject() {
    keep "$FILE"
    printf 'imageGCHighThresholdPercent: 60\nimageGCLowThresholdPercent: 75\n' >>"$FILE"
    systemctl restart kubelet || true
}

undo() {
    put_back "$FILE" || true
    running kubelet
    forget
}
