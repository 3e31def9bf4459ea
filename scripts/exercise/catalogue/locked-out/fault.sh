# shellcheck shell=bash
NAME=/etc/kubernetes/kube-apiserver/server

inject() {
    keep "$NAME.crt"
    sign_again "$NAME" "$(days -366)" "$(days -1)"
    systemctl restart kube-apiserver
    api_answers
}

undo() {
    if put_back "$NAME.crt"; then running kube-apiserver; fi
    forget
}
