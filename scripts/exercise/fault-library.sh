# shellcheck shell=bash disable=SC2034
# What the faults of exercises share. fault.sh follows, with `inject` and `undo`, and a call of one of the two. It runs on machines as root,
# or on the workstation with kubectl, and has the facts of scene.ts as variables. Both may be called again after they were cut short.
set -euo pipefail

# What was here before the exercise.
KEPT=/var/lib/kubelab/exercise
NS=(--namespace "$NAMESPACE")

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# One after the other, also where whoever has started the other one is gone.
if [ -n "${MACHINE:-}" ]; then
    exec 9>/run/kubelab-exercise.lock
    flock --wait 120 9 || fail "another exercise's script still runs on $MACHINE"
fi

# keep PATH...: as they are now; again, it changes nothing. One that isn't there is kept as absent.
keep() {
    local path
    for path; do
        if [ -e "$KEPT/files$path" ] || [ -e "$KEPT/absent$path" ]; then continue; fi
        if [ -e "$path" ]; then
            (umask 077 && mkdir -p "$KEPT/files${path%/*}")
            cp -a "$path" "$KEPT/files$path.new"
            mv "$KEPT/files$path.new" "$KEPT/files$path"
        else
            (umask 077 && mkdir -p "$KEPT/absent$path")
        fi
    done
}

# as_recorded PATH: it is what the record of kubelab's steps says, which `up` or `repair` may have changed since.
as_recorded() {
    [ -f "$1" ] && grep -qsE "^file [0-7]+ [^ ]+ $(sha256sum "$1" | cut -d ' ' -f 1) ${1//./\\.}\$" /var/lib/kubelab/record/*
}

# put_back PATH...: as they were kept; succeeds where something had changed.
put_back() {
    local path changed=1
    for path; do
        if [ -e "$KEPT/files$path" ] && ! as_recorded "$path"; then
            if ! cmp -s "$KEPT/files$path" "$path"; then changed=0; fi
            cp -a --remove-destination "$KEPT/files$path" "$path"
        elif [ -e "$KEPT/absent$path" ] && [ -e "$path" ]; then
            rm -r "$path"
            changed=0
        fi
    done
    return "$changed"
}

# Nothing is kept any more.
forget() {
    rm -rf "$KEPT"
}

# remember NAME TEXT: what can't be kept as a file; the first time only.
remember() {
    (umask 077 && mkdir -p "$KEPT/facts")
    [ -e "$KEPT/facts/$1" ] || printf '%s\n' "$2" >"$KEPT/facts/$1"
}

# recall NAME: that text, or nothing.
recall() {
    if [ -e "$KEPT/facts/$1" ]; then cat "$KEPT/facts/$1"; fi
}

# replace OLD NEW FILE: the text of a file, which must have it.
replace() {
    local text
    text=$(<"$3")
    [[ $text == *"$1"* ]] || fail "$3 has no $1"
    printf '%s\n' "${text//"$1"/"$2"}" >"$3"
}

# running UNIT...: enabled, unmasked, with the files that are there now.
running() {
    local unit
    for unit; do
        if [ -L "/etc/systemd/system/$unit.service" ] && [ "$(readlink "/etc/systemd/system/$unit.service")" = /dev/null ]; then
            rm "/etc/systemd/system/$unit.service"
        fi
    done
    systemctl daemon-reload
    systemctl enable --quiet "$@"
    systemctl reset-failed "$@" 2>/dev/null || true
    systemctl restart "$@"
}

# days N: that many days from now, as `openssl ca` reads it.
days() {
    date --utc --date "$1 days" +%Y%m%d%H%M%SZ
}

# extension CERTIFICATE NAME: its value, as openssl's configuration has it; empty where there is none.
extension() {
    openssl x509 -in "$1" -noout -ext "$2" 2>/dev/null | sed -n '2s/^ *//p' | sed 's/IP Address:/IP:/g'
}

# sign_again NAME FROM TO [SUBJECT_ALT_NAMES]: NAME.crt anew for its key NAME.key, by the authority that the controller manager signs with.
sign_again() {
    local work names=${4:-$(extension "$1.crt" subjectAltName)} authority=/etc/kubernetes/kube-controller-manager
    work=$(mktemp -d)
    : >"$work/index"
    cat >"$work/config" <<CONFIG
[ca]
default_ca = authority
[authority]
new_certs_dir = $work
database = $work/index
rand_serial = yes
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = optional
organizationName = optional
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $(extension "$1.crt" extendedKeyUsage)
${names:+subjectAltName = $names}
CONFIG
    openssl x509 -x509toreq -in "$1.crt" -signkey "$1.key" -out "$work/request" 2>/dev/null
    openssl ca -batch -notext -preserveDN -config "$work/config" -cert "$authority/signing-ca.crt" -keyfile "$authority/ca.key" \
        -startdate "$2" -enddate "$3" -in "$work/request" -out "$work/certificate" 2>"$work/said" || fail "$(tail -n 3 "$work/said")"
    cat "$work/certificate" >"$1.crt"
    rm -r "$work"
}
