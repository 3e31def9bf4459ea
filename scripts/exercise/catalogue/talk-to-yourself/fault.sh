# shellcheck shell=bash
FILE=/etc/cni/net.d/10-kubenet.conflist

inject() {
    keep "$FILE"
    replace '"hairpinMode": true' '"hairpinMode": false' "$FILE"
    # containerd watches the directory.
    sleep 2
}

undo() {
    put_back "$FILE" || true
    forget
}
