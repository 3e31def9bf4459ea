# shellcheck shell=bash
NAME=/etc/kubernetes/kube-scheduler/client

inject() {
    keep "$NAME.crt"
    # As by an authority whose clock is two days ahead.
    sign_again "$NAME" "$(days +2)" "$(days +367)"
    systemctl restart kube-scheduler
}

undo() {
    if put_back "$NAME.crt"; then running kube-scheduler; fi
    forget
}
