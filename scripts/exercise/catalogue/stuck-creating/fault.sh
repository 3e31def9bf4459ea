# shellcheck shell=bash
# As the installer of another pod network leaves it.
FILE=/etc/cni/net.d/05-flannel.conflist

inject() {
    keep "$FILE"
    cat >"$FILE" <<'CNI'
{
  "cniVersion": "1.0.0",
  "name": "cbr0",
  "plugins": [
    { "type": "flannel", "delegate": { "hairpinMode": true, "isDefaultGateway": true } },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
CNI
}

undo() {
    put_back "$FILE" || true
    forget
}
