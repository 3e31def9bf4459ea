# shellcheck shell=bash
# Prints the network of this machine as one JSON object, and changes nothing: links, addresses, routes, routing rules, neighbours and
# bridge ports as `ip -json` has them, and the namespaces of pods with the same. Needs root for the namespaces.
set -euo pipefail
shopt -s nullglob

# json COMMAND...: its JSON, or an empty list where it prints nothing.
json() {
    local text
    text=$("$@" 2>/dev/null) || true
    printf '%s' "${text:-[]}"
}

# A setting of the kernel, or null where there is none.
setting() {
    local file=/proc/sys/${1//.//}
    if [ -r "$file" ]; then printf '"%s":"%s"' "$1" "$(<"$file")"; else printf '"%s":null' "$1"; fi
}

printf '{"links":%s' "$(json ip -json -details address)"
printf ',"routes":%s' "$(json ip -json -4 route show table all)"
printf ',"rules":%s' "$(json ip -json -4 rule)"
printf ',"neighbours":%s' "$(json ip -json -4 neighbour)"
printf ',"forwarding":%s' "$(json bridge -json fdb show)"
printf ',"settings":{%s,%s,%s}' "$(setting net.ipv4.ip_forward)" "$(setting net.bridge.bridge-nf-call-iptables)" \
    "$(setting net.ipv4.conf.all.rp_filter)"
printf ',"pods":['
separator=
for file in /run/netns/*; do
    name=${file##*/}
    # A namespace that a pod has left while this runs.
    links=$(ip -n "$name" -json address 2>/dev/null) || continue
    printf '%s{"namespace":"%s","since":%s,"links":%s,"routes":%s}' "$separator" "$name" "$(stat -c %Y "$file")" \
        "${links:-[]}" "$(json ip -n "$name" -json -4 route)"
    separator=,
done
printf ']}\n'
