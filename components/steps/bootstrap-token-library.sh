# shellcheck shell=bash disable=SC2154,SC2317 # a step's functions come before these
# Bootstrap tokens, on the control plane: one is for one node, for a quarter of an hour, and for one certificate.
# https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/

tokens=$state/tokens
secrets=/api/v1/namespaces/kube-system/secrets
# The Leases of those that were used: see node-approver.
used_tokens=/apis/coordination.k8s.io/v1/namespaces/kube-system/leases
# use_api URL: https://address:port of the API server that the functions below ask.
api=''
use_api() {
    api=$1
}

# mint NODE: makes a token and prints it. The API has it, and its time begins, when offer_token gives it to it.
mint() {
    local text='' some
    while [ "${#text}" -lt 22 ]; do
        LC_ALL=C IFS= read -rd '' -N 64 some </dev/urandom 2>/dev/null || true
        text+=$(LC_ALL=C && printf '%s' "${some//[!a-z0-9]/}")
    done
    umask 077
    if [ ! -d "$tokens" ]; then mkdir -p "$tokens"; fi
    printf '%s.%s\n' "${text:0:6}" "${text:6:16}" >"$tokens/$1"
    umask 022
    printf '%s.%s\n' "${text:0:6}" "${text:6:16}"
}

# as_admin METHOD PATH [CURL_ARGUMENT...]: a request to the API server, without a start of kubectl; $type is that of what it sends.
as_admin() {
    curl -sf --max-time 10 -o /dev/null --cacert /etc/kubernetes/kube-apiserver/ca.crt --cert /etc/kubernetes/super-admin.crt \
        --key /etc/kubernetes/super-admin.key -X "$1" -H "Content-Type: ${type:-application/json}" "${@:3}" "$api$2"
}

# know_node CONFIGMAP NODE ADDRESS: has the ConfigMap of that name in kube-system name the node.
know_node() {
    local data="{\"$2\":\"$3\"}" maps=/api/v1/namespaces/kube-system/configmaps
    learn() {
        type=application/merge-patch+json as_admin PATCH "$maps/$1" --data "{\"data\":$2}" ||
            as_admin POST "$maps" --data "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\"},\"data\":$2}"
    }
    within "${patience:-60}" learn "$1" "$data" || fail "the API server doesn't take $2 as a node of the cluster"
}

# offer_token NODE: has the API server take the token that was made for the node, where there is one, for a quarter of an hour.
offer_token() {
    local id='' secret expires object
    [ -s "$tokens/$1" ] || return 0
    IFS=. read -r id secret <"$tokens/$1"
    # It may be used again then.
    as_admin DELETE "$used_tokens/bootstrap-token-$id" || true
    TZ=UTC printf -v expires '%(%Y-%m-%dT%H:%M:%SZ)T' "$((EPOCHSECONDS + 900))"
    object='{"apiVersion":"v1","kind":"Secret","type":"bootstrap.kubernetes.io/token","metadata":{"namespace":"kube-system","name":"bootstrap-token-'$id'"},"stringData":{"token-id":"'$id'","token-secret":"'$secret'","expiration":"'$expires'","usage-bootstrap-authentication":"true","auth-extra-groups":"system:bootstrappers:kubelab,system:bootstrappers:kubelab:'$1'","description":"for the node '$1' to join by"}}'
    offer() {
        as_admin POST "$secrets" --data @- <<<"$object" || as_admin PUT "$secrets/bootstrap-token-$id" --data @- <<<"$object"
    }
    # It may be on its way back from a restart.
    within "${patience:-60}" offer ||
        fail "the API server doesn't take the bootstrap token of $1"
}

# await_signer PORT: waits until the controller manager signs certificates: it begins with that a second or two after the API server is
# ready. A kubelet that starts before asks for what it may not yet see, and tries that again ever later. One curl asks, ten times a second.
await_signer() {
    curl -sN --fail-early --max-time 5 --rate 10/s --cacert /etc/kubernetes/kube-controller-manager/ca.crt "https://127.0.0.1:$1/healthz?verbose#[1-300]" |
        grep -q '^.+.certificatesigningrequest-signing-controller ok' || true
}

# withdraw_token NODE: of a node that is Ready, takes away the token that it has joined with. One that isn't used yet, by a node that makes
# new keys or needs none, ends by itself.
withdraw_token() {
    local id
    [ -s "$tokens/$1" ] || return 0
    IFS=. read -r id _ <"$tokens/$1"
    if as_admin GET "$used_tokens/bootstrap-token-$id"; then
        { as_admin DELETE "$secrets/bootstrap-token-$id" && as_admin DELETE "$used_tokens/bootstrap-token-$id"; } || true
    fi
    rm -f "$tokens/$1"
}

# joins_or_answers PORT: health of a kubelet. One without a certificate that waits for its token is well: the token comes by a later step,
# which may be one of another run.
pki=/var/lib/kubelet/pki
joins_or_answers() {
    answers "http://127.0.0.1:$1/healthz" && return
    [ ! -s "$pki/kubelet-client-current.pem" ] || return
    service_state kubelet
    [ "${unit[SubState]:-}" = start-pre ]
}

# early_rights < pairs of lines, a path and an object: makes what isn't there yet of the rights that nodes join by. `kubectl apply` does the
# same, later.
early_rights() {
    local path object requests=()
    while read -r path && read -r object; do
        if [ "${#requests[@]}" -gt 0 ]; then requests+=(--next); fi
        requests+=(-s -o /dev/null --max-time 10 --cacert /etc/kubernetes/kube-apiserver/ca.crt --cert /etc/kubernetes/super-admin.crt
            --key /etc/kubernetes/super-admin.key -H 'Content-Type: application/json' --data "$object" "$api$path")
    done
    curl "${requests[@]}" || true
}
