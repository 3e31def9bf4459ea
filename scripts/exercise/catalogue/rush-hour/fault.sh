# shellcheck shell=bash
# Entries of the machine's own loopback: no other machine, and not the host, has any of them.
TABLE=/proc/sys/net/netfilter
# So that the machine can still be reached: SSH needs no entry.
UNTRACKED=("PREROUTING -p tcp --dport 22" "OUTPUT -p tcp --sport 22")

untracked() {
    local rule words
    for rule in "${UNTRACKED[@]}"; do
        read -ra words <<<"$rule"
        iptables --wait -t raw "$1" "${words[@]}" -m comment --comment exercise -j CT --notrack "${@:2}" || [ "$1" = -D ]
    done
}

inject() {
    local max
    max=$(<"$TABLE/nf_conntrack_max")
    [ "$max" -le 1100000 ] || fail "the table has room for $max connections: that would take too long"
    remember timeout "$(<"$TABLE/nf_conntrack_udp_timeout")"
    remember timeout_stream "$(<"$TABLE/nf_conntrack_udp_timeout_stream")"
    untracked -I
    sysctl -qw net.netfilter.nf_conntrack_udp_timeout=86400 net.netfilter.nf_conntrack_udp_timeout_stream=86400
    perl -MSocket -e '
        my ($max) = @ARGV;
        my $served = pack_sockaddr_in(5300, inet_aton("127.9.0.1"));
        my @hosts = map { inet_aton("127.9.1.$_") } 1 .. 1 + $max / 60000;
        my $client = sub { pack_sockaddr_in(1024 + $_[0] % 60000, $hosts[$_[0] / 60000]) };
        socket(my $server, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
        bind($server, $served) or die "bind: $!";
        for my $n (0 .. $max - 1) {
            socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
            bind($socket, $client->($n)) or next;
            send($socket, "?", 0, $served);
        }
        # An entry is thrown out for a new one unless it had an answer, and another one two seconds after its first packet.
        sleep 3;
        for my $answer (1 .. 2) {
            send($server, "!", 0, $client->($_)) for 0 .. $max - 1;
        }' "$max"
}

undo() {
    conntrack -F >/dev/null 2>&1 || true
    untracked -D 2>/dev/null
    if [ -n "$(recall timeout)" ]; then
        sysctl -qw "net.netfilter.nf_conntrack_udp_timeout=$(recall timeout)"
        sysctl -qw "net.netfilter.nf_conntrack_udp_timeout_stream=$(recall timeout_stream)"
    fi
    forget
}
