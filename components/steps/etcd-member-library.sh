# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the libraries of steps are read as one
# How a member comes into etcd's cluster, and leaves it: one at a time, as a learner first, which has no vote until it has caught up.
# https://etcd.io/docs/v3.6/op-guide/runtime-configuration/

# What a member without data starts with; its unit reads it, or its manifest has it.
initial_cluster=/etc/etcd/initial-cluster.env
etcd_data=/var/lib/etcd
own_etcd=https://127.0.0.1:2379
etcd_said=''
member_id=''

# etcd_ask ENDPOINTS ARGUMENT...: etcdctl there, within $etcd_patience. What it printed is in $etcd_said.
etcd_ask() {
    local endpoints=$1 status=0
    shift
    etcd_said=$(etcdctl --endpoints "$endpoints" --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key \
        --dial-timeout 2s --command-timeout "${etcd_patience:-5s}" "$@" 2>&1) || status=$?
    return "$status"
}

# etcd_find ENDPOINTS PEER_URL [NAME]: asks for a member with that URL, or of that name. Sets its $member_id, empty where there is none.
etcd_find() {
    local id name peers
    member_id=''
    etcd_ask "$1" member list || return
    while IFS=, read -r id _ name peers _; do
        if [ "${peers// /}" = "$2" ] || { [ -n "${3:-}" ] && [ "${name// /}" = "$3" ]; }; then member_id=$id; fi
    done <<<"$etcd_said"
}

# etcd_enter NAME PEER_URL OTHERS [found]: before etcd starts without data, makes it a member of the cluster that answers at one of the
# OTHERS, endpoints with commas. Where none does, `found` lets it begin a cluster: only when its step runs for the first time, since
# later there is a cluster, and a second one beside it would be a split brain.
etcd_enter() {
    local cluster=$3
    if [ -e "$etcd_data/member" ]; then return; fi
    if [ "${4:-}" = found ] && { [ -z "$cluster" ] || { [ "${operation:-}" = create ] && ! etcd_ask "$cluster" member list; }; }; then
        printf '%s\n' "ETCD_INITIAL_CLUSTER=$1=$2" ETCD_INITIAL_CLUSTER_STATE=new >"$initial_cluster"
        return
    fi
    while :; do
        within 120 etcd_find "$cluster" "$2" "$1" ||
            fail "etcd has no data here, and no other member answers at $cluster: start their machines. It said: ${etcd_said##*$'\n'}"
        [ -n "$member_id" ] || break
        # Of a machine that this one replaces, which may have had another address; or of a start that was cut short.
        within 60 etcd_ask "$cluster" member remove "$member_id" ||
            fail "the other members of etcd don't let the former $1 go: ${etcd_said##*$'\n'}"
    done
    within 180 etcd_add "$cluster" "$1" "$2" || fail "the other members of etcd take no new one: ${etcd_said##*$'\n'}"
    grep -E '^ETCD_INITIAL_CLUSTER(_STATE)?=' <<<"$etcd_said" >"$initial_cluster"
}

# etcd_add ENDPOINTS NAME PEER_URL: makes it a learner, unless another one is learning: one comes at a time.
etcd_add() {
    etcd_ask "$1" member list && [[ $etcd_said != *', true'* ]] && etcd_ask "$1" member add "$2" --learner --peer-urls "$3"
}

# etcd_votes PEER_URL OTHERS COMMAND...: the health check of a member: the command succeeds, and it has a vote. A learner gets one when it
# has caught up.
etcd_votes() {
    local peer=$1 cluster=$2
    shift 2
    "$@" || return
    etcd_ask "$own_etcd" endpoint status --write-out=fields || return
    if [[ $etcd_said != *'"IsLearner" : true'* ]]; then return; fi
    if etcd_find "$cluster" "$peer"; then etcd_ask "$cluster" member promote "$member_id" || true; fi
    return 1
}

# etcd_spare: before a member restarts for what has changed, all others are healthy: without this one, too, there is a majority. One that
# doesn't answer itself takes nothing away.
etcd_spare() {
    if [ -z "$changed" ] || ! etcd_ask "$own_etcd" endpoint health; then return 0; fi
    within 120 etcd_ask "$own_etcd" endpoint health --cluster ||
        fail "etcd is not restarted here, since another member is not healthy: start its machine. etcdctl said: $etcd_said"
}

# etcd_leave NAME PEER_URL URL OWN_PEER_URL: the member of this machine, at 127.0.0.1, lets the one with the URLs go, where it is one.
# Before that it takes the lead: without a leader no write succeeds until there has been an election.
etcd_leave() {
    if etcd_find "$own_etcd" "$4" && [ -n "$member_id" ]; then etcd_ask "$3" move-leader "$member_id" || true; fi
    within 60 etcd_find "$own_etcd" "$2" || fail "etcd doesn't answer, so $1 can't leave it: ${etcd_said##*$'\n'}"
    if [ -z "$member_id" ]; then return; fi
    within 60 etcd_ask "$own_etcd" member remove "$member_id" || fail "etcd doesn't let $1 go: ${etcd_said##*$'\n'}"
}
