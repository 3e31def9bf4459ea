# shellcheck shell=bash
FILE=/etc/kubernetes/manifests/kube-scheduler.yaml

# A file in place of the other, at once: the kubelet reads what it sees.
change() {
    cp -a "$FILE" /etc/kubernetes/kube-scheduler.new
    sed -i "$1" /etc/kubernetes/kube-scheduler.new
    mv /etc/kubernetes/kube-scheduler.new "$FILE"
}

inject() {
    keep "$FILE"
    grep -q containers: "$FILE" || fail "$FILE has no containers"
    change 's/\bcontainers:/contianers:/'
    for ((n = 0; n < 60; n++)); do
        pgrep -x kube-scheduler >/dev/null || return 0
        sleep 1
    done
    fail "kube-scheduler still runs"
}

undo() {
    put_back "$FILE" || true
    forget
}
