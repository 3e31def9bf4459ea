#!/bin/bash
# Before a kubelet starts that has no certificate yet, waits until the API server takes its bootstrap token: a kubelet whose first try
# fails waits longer and longer. One that has a certificate starts at once. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
#   join wait NAME:PORT   of the API server
#   join check            prints a line where the certificate has expired; changes nothing
set -euo pipefail

: "${DIRECTORY:=/etc/kubernetes/kubelet}" "${PKI:=/var/lib/kubelet/pki}"

# is_valid client|server: whether the kubelet has a certificate of the kind that hasn't expired.
is_valid() {
    [ -s "$PKI/kubelet-$1-current.pem" ] && openssl x509 -noout -checkend 0 -in "$PKI/kubelet-$1-current.pem" >/dev/null 2>&1
}

# check WHAT client|server
check() {
    local joined=$PKI/kubelet-client-current.pem
    if [ ! -s "$PKI/kubelet-$2-current.pem" ]; then
        # That of its port comes a second or two after the other one.
        if [ -n "$(find "$joined" -mmin -1 2>/dev/null)" ]; then return; fi
        echo "the kubelet's $1: gone"
    elif ! is_valid "$2"; then
        echo "the kubelet's $1: expired"
    fi
}

# forget_keys: where kubelab:newKeys has another text than the keys that are there were made with, takes them away.
forget_keys() {
    local wanted='' made=''
    read -r wanted <"$DIRECTORY/new-keys" || true
    if [ -e "$PKI/new-keys" ]; then read -r made <"$PKI/new-keys" || true; fi
    [ "$wanted" != "$made" ] || return 0
    rm -rf "$PKI"
    (umask 077 && mkdir -p "$PKI")
    printf '%s\n' "$wanted" >"$PKI/new-keys"
}

# forget_issued: takes away what the kubelet had while an `up` signed its certificates.
forget_issued() {
    if [ -e "$DIRECTORY/client.key" ]; then rm -f "$DIRECTORY"/{client,server}.{crt,key} "$DIRECTORY/kubelet.conf"; fi
}

# takes_token NAME:PORT: one curl asks four times a second for ten seconds, instead of forty that are started. The token is on no
# command line.
takes_token() {
    local token='' code='' asking
    (: <"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null || return
    read -r token <"$DIRECTORY/bootstrap-token" || return
    exec {asking}< <(
        exec curl -s --max-time 5 --rate 4/s -o /dev/null -w '%{stderr}%{http_code}\n' --noproxy '*' --cacert "$DIRECTORY/ca.crt" -K - \
            "https://$1/apis/certificates.k8s.io/v1/certificatesigningrequests?limit=1#[1-40]" \
            < <(printf 'header = "Authorization: Bearer %s"\n' "$token") 2>&1
    )
    while IFS= read -ru "$asking" code && [ "$code" != 200 ]; do :; done
    kill "$!" 2>/dev/null || true
    wait "$!" 2>/dev/null || true
    exec {asking}<&-
    [ "$code" = 200 ]
}

case $1 in
    wait)
        forget_keys
        if is_valid client; then
            forget_issued
            exit
        fi
        exec {idle}<> <(:)
        said=''
        until takes_token "$2"; do
            if [ -z "$said" ] && [ "$SECONDS" -ge 60 ]; then
                said=1
                echo "no certificate, and the API server doesn't take the bootstrap token: 'scripts/lab repair $HOSTNAME' makes a new one"
            fi
            read -rt 0.3 -u "$idle" || true
        done
        ;;
    check)
        check "client certificate" client
        check "certificate of its port" server
        ;;
esac
