# shellcheck shell=bash
NAME=/etc/kubernetes/kube-apiserver/server

# The API server reads a new certificate by itself. Connections that are there go on.
inject() {
    keep "$NAME.crt"
    sign_again "$NAME" "$(days -366)" "$(days -1)"
}

undo() {
    if put_back "$NAME.crt"; then running kube-apiserver; fi
    forget
}
