# shellcheck shell=bash
# Prints the packet rules of this machine as one JSON object, and changes nothing: the kernel's nftables rules with their handles, the
# same where iptables made them in its own words, those of iptables' older kernel interface, and the table of IPVS. Needs root.
set -euo pipefail

encoded() {
    "$@" 2>/dev/null | base64 --wrap 0 || true
}

# Rules of the older interface, without loading its modules where no one uses it.
legacy() {
    if [ -s /proc/net/ip_tables_names ]; then iptables-legacy-save; fi
}

nft=$(nft --json --handle list ruleset 2>/dev/null) || true
printf '{"nft":%s' "${nft:-{\"nftables\":[]\}}"
printf ',"iptables":"%s"' "$(encoded iptables-nft-save)"
printf ',"legacy":"%s"' "$(encoded legacy)"
printf ',"ipvs":"%s"}\n' "$(encoded cat /proc/net/ip_vs)"
