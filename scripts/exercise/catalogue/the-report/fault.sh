# shellcheck shell=bash
inject() {
    kubectl "${NS[@]}" patch rolebinding reporter --type json --patch \
        '[{"op": "replace", "path": "/subjects/0/namespace", "value": "default"}]'
}

# The namespace goes, and all of it.
undo() {
    :
}
