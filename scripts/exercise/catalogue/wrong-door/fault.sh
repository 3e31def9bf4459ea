# shellcheck shell=bash
inject() {
    kubectl "${NS[@]}" patch service shop --type json --patch '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8081}]'
}

# The namespace goes, and all of it.
undo() {
    :
}
