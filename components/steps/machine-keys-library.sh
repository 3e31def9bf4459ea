# shellcheck shell=bash
# Makes the keys of a machine's certificates there, and prints the requests for those. The keys are for root alone; a step that brings a
# certificate copies its key to the process that uses it. A step's functions come before these.
: "${state:?}"

keys=$state/keys
kept=' '

open_keys() {
    umask 077
    if [ ! -d "$keys" ]; then mkdir -p "$keys"; fi
}

# request NAME <SETTINGS: prints NAME and a certificate request, as openssl's settings say, of the key with that name. There is a new key
# where there is none yet, or when the first line of the settings, `# keys: TEXT`, has a text that it hadn't; another change makes another
# request of the same key. The settings are kept last: what was cut off before that is made anew.
request() {
    local name=$1 settings='' made='' text='' error first from=()
    IFS= read -rd '' settings || true
    kept+="$name "
    if [ -s "$keys/$name.key" ] && [ -s "$keys/$name.csr" ] && [ -e "$keys/$name.settings" ]; then
        IFS= read -rd '' made <"$keys/$name.settings" || true
    fi
    if [ "$made" != "$settings" ]; then
        : >"$keys/$name.settings"
        first=${settings%%$'\n'*}
        if [ -n "$made" ] && { [ "$first" = '# keys: ' ] || [ "$first" = "${made%%$'\n'*}" ]; }; then
            from=(-key "$keys/$name.key")
        else
            from=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$keys/$name.key")
        fi
        error=$(openssl req -new "${from[@]}" -out "$keys/$name.csr" -config /dev/stdin 2>&1 <<<"$settings") ||
            fail "openssl can't make the key of $name: $error"
        printf '%s' "$settings" >"$keys/$name.settings"
    fi
    IFS= read -rd '' text <"$keys/$name.csr" || true
    printf '%s\n%s' "$name" "$text"
}

# close_keys: takes away the keys that nothing is asked for with any more.
close_keys() {
    local file name others=()
    for file in "$keys"/*; do
        name=${file##*/}
        if [[ $kept != *" ${name%.*} "* ]]; then others+=("$file"); fi
    done
    if [ "${#others[@]}" -gt 0 ]; then rm -f "${others[@]}"; fi
    umask 022
}
