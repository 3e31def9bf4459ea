# shellcheck shell=bash
inject() {
    remember policy "$(iptables --wait -S FORWARD | head -n 1)"
    iptables --wait -P FORWARD DROP
    iptables --wait -D FORWARD -j KUBENET-FORWARD
}

undo() {
    local words
    read -ra words <<<"$(recall policy)"
    if [ "${#words[@]}" -eq 3 ]; then iptables --wait "${words[@]}"; fi
    systemctl reload kubenet
    forget
}
