#!/bin/bash
# Approves the certificates that this cluster's kubelets ask for, and denies every other request to the two signers of kubelets. A request
# is compared byte by byte, but for its key, with what a kubelet of that name and address writes: nothing in it is left to be read
# otherwise by whoever signs it. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
#
# It runs on every control plane, and keeps nothing on the machine. The nodes are in the ConfigMap at $KNOWN_NODES, with their addresses. `up` writes
# it. A kubelet has no say in it, as it has in its Node object. A node that has left the cluster isn't in it, so that its certificate isn't
# renewed. A token that was used has a Lease of the name of its Secret, whose holder is the request.
set -euo pipefail

: "${DIRECTORY:=/etc/kubernetes/node-approver}"

readonly REQUESTS=/apis/certificates.k8s.io/v1/certificatesigningrequests
readonly LEASES=/apis/coordination.k8s.io/v1/namespaces/kube-system/leases
# What a token's groups say: that it is kubelab's, and the one node that it is for.
readonly JOINING='"system:bootstrappers" "system:bootstrappers:kubelab" "system:bootstrappers:kubelab:'
# DER in hexadecimal; https://www.rfc-editor.org/rfc/rfc2986#section-4
readonly VERSION=020100 COMMON_NAME=0603550403 ORGANIZATION=060355040a
readonly EXTENSION_REQUEST=06092a864886f70d01090e ALTERNATIVE_NAMES=0603551d11
# A public key on the curve P-256, before its point of 65 bytes, and a signature with it.
readonly P256=3059301306072a8648ce3d020106082a8648ce3d030107034200 ECDSA_WITH_SHA256=300a06082a8648ce3d040302

# der TAG HEX: sets $der, a value with its tag and its length.
der() {
    local length=$((${#2} / 2)) size
    if ((length < 0x80)); then
        printf -v size '%02x' "$length"
    elif ((length < 0x100)); then
        printf -v size '81%02x' "$length"
    else
        printf -v size '82%04x' "$length"
    fi
    der=$1$size$2
}

# hex TEXT: sets $hex, the bytes of an ASCII text.
hex() {
    local index byte
    hex=''
    for ((index = 0; index < ${#1}; index++)); do
        printf -v byte '%02x' "'${1:index:1}"
        hex+=$byte
    done
}

# bytes BASE64: sets $bytes, in hexadecimal. Two programs would do that, for each request.
readonly DIGITS=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
bytes() {
    local text=${1//$'\n'/} padding index digit before value
    padding=${text##*[!=]}
    text=${text%"$padding"}${padding//=/A}
    bytes=''
    for ((index = 0; index < ${#text}; index += 4)); do
        value=0
        for digit in 0 1 2 3; do
            before=${DIGITS%%"${text:index+digit:1}"*}
            value=$((value << 6 | ${#before}))
        done
        printf -v value '%06x' "$value"
        bytes+=$value
    done
    bytes=${bytes:0:${#bytes}-2*${#padding}}
}

# attribute TYPE TEXT: sets $der, a part of a subject: a printable string.
attribute() {
    hex "$2"
    der 13 "$hex"
    der 30 "$1$der"
    der 31 "$der"
}

# names DNS-NAME ADDRESS: sets $der, the attribute of a request for these names.
names() {
    local names octets
    hex "$1"
    der 82 "$hex"
    names=$der
    IFS=. read -ra octets <<<"$2"
    printf -v hex '%02x' "${octets[@]}"
    der 87 "$hex"
    der 30 "$names$der"
    der 04 "$der"
    der 30 "$ALTERNATIVE_NAMES$der"
    der 30 "$der"
    der 31 "$der"
    der 30 "$EXTENSION_REQUEST$der"
}

# is_request PEM NODE [ADDRESS]: whether it is a node's request for a client certificate, or, with its address, for one of its port. That
# it is signed by its own key, the API server has checked.
is_request() {
    local subject names='' bytes rest
    [[ $1 =~ ^-----BEGIN\ CERTIFICATE\ REQUEST-----$'\n'([A-Za-z0-9+/$'\n']+={0,2})$'\n'-----END\ CERTIFICATE\ REQUEST-----$'\n'$ ]] || return 1
    bytes "${BASH_REMATCH[1]}"
    attribute "$ORGANIZATION" system:nodes
    subject=$der
    attribute "$COMMON_NAME" "system:node:$2"
    der 30 "$subject$der"
    subject=$der
    if [ -n "${3:-}" ]; then
        names "$2" "$3"
        names=$der
    fi
    der a0 "$names"
    names=$der
    # The lengths are those of a point of the right size; then the point may be any.
    printf -v rest '%0130d' 0
    der 30 "$VERSION$subject$P256$rest$names"
    [[ $bytes =~ ^30(..|81..|82....)${der%"$rest$names"}04[0-9a-f]{128}$names${ECDSA_WITH_SHA256}03..00[0-9a-f]+$ ]]
}

# judge SIGNER USER GROUPS USAGES REQUEST, as the template below writes them; $nodes is the ConfigMap as JSON. Sets $node, $token where it is by
# one, and $why where the request is wrong. Fails for a request to another signer, which is somebody else's to judge.
judge() {
    local signer=$1 user=$2 groups=$3 usages=$4 request=$5 purpose address='' id
    node='' why='' token=''
    case $signer in
        kubernetes.io/kube-apiserver-client-kubelet) purpose='client auth' ;;
        kubernetes.io/kubelet-serving) purpose='server auth' ;;
        *) return 1 ;;
    esac
    if [[ $user =~ ^\"system:node:([a-z0-9-]+)\"$ ]] && [ "$groups" = '"system:nodes" "system:authenticated" ' ]; then
        node=${BASH_REMATCH[1]}
    elif [[ $user =~ ^\"system:bootstrap:([a-z0-9]{6})\"$ ]]; then
        id=${BASH_REMATCH[1]}
        if [[ $groups =~ ^"$JOINING"([a-z0-9-]+)\"\ \"system:authenticated\"\ $ ]]; then
            node=${BASH_REMATCH[1]}
        fi
        if [ "$purpose" != 'client auth' ]; then why='a token asks for a client certificate only'; fi
        token=$id
    fi
    if [ -z "$node" ]; then
        why="$user is neither a node nor the token of one"
    elif ! [[ $nodes =~ \"$node\":\ ?\"([0-9.]+)\" ]]; then
        why="$node is no node of this cluster"
    elif [ -z "$why" ] && [ "$usages" != "\"digital signature\" \"$purpose\" " ]; then
        why="the usages are $usages"
    elif [ -z "$why" ]; then
        if [ "$purpose" = 'server auth' ]; then address=${BASH_REMATCH[1]}; fi
        printf -v request '%b' "${request//\"/}"
        if ! is_request "$request" "$node" "$address"; then
            why="it isn't what the kubelet of $node asks for${address:+ with the address $address}"
        fi
    fi
}

as_approver() {
    curl -s --max-time 10 --cacert "$DIRECTORY/ca.crt" --cert "$DIRECTORY/client.crt" --key "$DIRECTORY/client.key" "$@"
}

# send METHOD PATH TYPE <BODY
send() {
    as_approver -f -o /dev/null -X "$1" -H "Content-Type: $3" --data @- "$API$2"
}

# learn_nodes: sets $nodes. That there is no ConfigMap is an answer, too: there are no nodes.
learn_nodes() {
    nodes=$(as_approver "$API$KNOWN_NODES") && [[ $nodes =~ \"kind\":\ ?\"ConfigMap\"|\"code\":\ ?404 ]]
}

# claim TOKEN REQUEST: notes that the request uses the token; $why where another one did. Only one can make the Lease.
claim() {
    local lease=bootstrap-token-$1 said
    send POST "$LEASES" application/json <<END && return
{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"$lease"},"spec":{"holderIdentity":"$2"}}
END
    said=$(as_approver -f "$API$LEASES/$lease") || return
    if ! [[ $said =~ \"holderIdentity\":\ ?\"$2\" ]]; then why='the token was used already'; fi
}

# answer NAME Approved|Denied MESSAGE
answer() {
    local message=${3//[\"\\]/} said
    if send PATCH "$REQUESTS/$1/approval" application/merge-patch+json; then
        printf '%s: %s: %s\n' "$1" "$2" "$message"
        return
    fi <<END
{"status":{"conditions":[{"type":"$2","status":"True","reason":"NodeApprover","message":"$message"}]}}
END
    # The approver of another control plane may have been first.
    said=$(as_approver -f "$API$REQUESTS/$1") && [[ $said =~ \"type\":\ ?\"(Approved|Denied)\" ]]
}

# A request that waits, in six lines. What somebody else wrote is quoted: it can't have a line of its own.
readonly TEMPLATE='{{if not .status.conditions}}{{.metadata.name}}
{{.spec.signerName}}
{{printf "%q" .spec.username}}
{{range .spec.groups}}{{printf "%q " .}}{{end}}
{{range .spec.usages}}{{printf "%q " .}}{{end}}
{{printf "%q" (base64decode .spec.request)}}
{{end}}'

# watch: judges the requests that wait, and those that come, until the API server ends the watch.
watch() {
    local name word signer user groups usages request watching watcher nodes node why token
    exec {watching}< <(exec kubectl --kubeconfig "$DIRECTORY/node-approver.conf" --cache-dir "$CACHE" \
        get certificatesigningrequests.v1.certificates.k8s.io --watch -o "go-template=$TEMPLATE")
    watcher=$!
    while IFS= read -ru "$watching" name; do
        for word in signer user groups usages request; do IFS= read -ru "$watching" "${word?}"; done
        learn_nodes || break
        judge "$signer" "$user" "$groups" "$usages" "$request" || continue
        # Before the answer, which may fail: a token is good for one request.
        if [ -z "$why" ] && [ -n "$token" ]; then claim "$token" "$name" || break; fi
        if [ -n "$why" ]; then
            answer "$name" Denied "$why" || break
        else
            answer "$name" Approved "${signer#*/} of $node" || break
        fi
    done
    exec {watching}<&-
    kill "$watcher" 2>/dev/null
}

may_list() {
    as_approver -f -o /dev/null "$API$REQUESTS?limit=1"
}

main() {
    local idle address=${API#*://}
    CACHE=$RUNTIME_DIRECTORY
    exec {idle}<> <(:)
    : >"$RUNTIME_DIRECTORY/ready"
    while :; do
        # Beside an API server that starts, each start of kubectl is dear.
        if (: <"/dev/tcp/${address%:*}/${address#*:}") 2>/dev/null && may_list; then watch || true; fi
        read -rt 0.4 -u "$idle" || true
    done
}

if [ "${BASH_SOURCE[0]:-}" = "$0" ]; then main; fi
