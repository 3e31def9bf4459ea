# shellcheck shell=bash
inject() {
    sysctl -qw net.bridge.bridge-nf-call-iptables=0
}

undo() {
    sysctl -qw net.bridge.bridge-nf-call-iptables=1
}
