# shellcheck shell=bash
# Has the kernel tell which rules the probe's packets pass on this machine, until a line or the end of standard input, or SECONDS have
# passed. Prints `ready` when the kernel does, and the trace at the end. Needs root, and nft 1.0 or later.
#
#   watch TABLE DSCP SECONDS [MARK]
#
# TABLE: name of the nftables table that is there meanwhile. The kernel removes it with the process that made it, however that ends.
# DSCP: the probe's packets have this value of the IP header; the answers are known by their addresses and ports.
# MARK: an nftables match of packets of this machine itself that are given DSCP.
set -euo pipefail

rules() {
    local traced="ip dscp $2 meta l4proto { tcp, udp } meta nftrace set 1"
    local answer='ip saddr . th sport . ip daddr . th dport @answers meta nftrace set 1'
    local learn="ip dscp $2 meta l4proto { tcp, udp } update @answers { ip daddr . th dport . ip saddr . th sport }"
    cat <<RULES
table inet $1 {
    flags owner
    set answers {
        type ipv4_addr . inet_service . ipv4_addr . inet_service
        flags dynamic, timeout
        timeout 2m
        size 1024
    }
    chain enter {
        type filter hook prerouting priority -450; policy accept;
        $traced
        $answer
    }
    chain begin {
        type filter hook output priority -450; policy accept;
        ${4:+$4 ip dscp set $2}
        $traced
        $answer
    }
    chain leave {
        type filter hook postrouting priority 450; policy accept;
        $learn
    }
    chain end {
        type filter hook input priority 450; policy accept;
        $learn
    }
}
RULES
}

end() {
    if [ -n "${monitor:-}" ]; then
        kill "$monitor" 2>/dev/null || true
        wait "$monitor" 2>/dev/null || true
    fi
    rm -rf "$directory"
}

watch() {
    directory=$(mktemp -d "/tmp/$1.XXXXXX")
    trap end EXIT
    trap 'exit 1' HUP INT TERM
    rules "$@" >"$directory/rules"
    mkfifo "$directory/commands"
    # It writes a history to its home.
    HOME=$directory setpriv --pdeathsig TERM timeout --kill-after 1 "$(($3 + 5))" nft --handle --numeric --interactive \
        <"$directory/commands" >"$directory/trace" 2>"$directory/problem" &
    monitor=$!
    exec 7>"$directory/commands"
    printf 'include "%s"\nmonitor trace\n' "$directory/rules" >&7
    local tries=0
    # Of the kernel's netlink sockets, one of netfilter (12) that has joined the group of traces (9).
    until nft list table inet "$1" >/dev/null 2>&1 && grep -Eq '^\S+ +12 +\S+ +0*1[0-9a-f]{2} ' /proc/net/netlink; do
        if [ "$((tries += 1))" -gt 100 ] || [ -s "$directory/problem" ]; then
            printf 'the kernel does not trace packets: %s\n' "$(<"$directory/problem")" >&2
            exit 1
        fi
        sleep 0.05
    done
    # Whoever kills this process leaves no file.
    exec 8<"$directory/trace"
    rm -rf "$directory"
    printf 'ready\n'
    read -rt "$3" _ || true
    # The kernel tells of the last packet before it is through with it.
    sleep 0.1
    cat <&8
}
