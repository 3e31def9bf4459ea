# shellcheck shell=bash
NAME=/etc/kubernetes/kube-apiserver/server

# The names and addresses of the list that pods don't use.
for_people() {
    tr ',' '\n' | sed 's/^ *//' | grep -vE "^DNS:kubernetes|^IP:${SERVICE_CIDR%.*}\." | paste -sd ','
}

# The API server reads a new certificate by itself. Connections that are there go on.
inject() {
    keep "$NAME.crt"
    sign_again "$NAME" "$(days -1)" "$(days 365)" "$(extension "$NAME.crt" subjectAltName | for_people)"
}

undo() {
    if put_back "$NAME.crt"; then running kube-apiserver; fi
    forget
}
