# shellcheck shell=bash
FILE=/etc/containerd/config.toml

inject() {
    keep "$FILE"
    if grep -q 'SystemdCgroup = true' "$FILE"; then
        replace 'SystemdCgroup = true' 'SystemdCgroup = false' "$FILE"
    else
        replace 'SystemdCgroup = false' 'SystemdCgroup = true' "$FILE"
    fi
    systemctl restart containerd
}

undo() {
    put_back "$FILE" || true
    running containerd kubelet
    forget
}
